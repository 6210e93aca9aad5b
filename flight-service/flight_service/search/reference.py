"""Reference data in memory: places, airlines, layouts, the rules and rates of now. Replaced whole at any change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Union
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from flight_service.catalogue.distance import distance_km
from flight_service.catalogue.layout import AircraftLayout, read_layout
from flight_service.fares.currencies import CurrencyRates, read_rates
from flight_service.fares.default_rules import DEFAULT_RATES, DEFAULT_RULES
from flight_service.fares.rule_set import FareRules, read_rule_set
from flight_service.fares.rules import Route as FareRoute

Connection = Union["asyncpg.Connection[Any]", "PoolConnectionProxy[Any]"]
DEFAULT_MIN_CONNECTION_DOMESTIC = 60
DEFAULT_MIN_CONNECTION_INTERNATIONAL = 90


@dataclass(frozen=True, slots=True)
class Airport:
    """What search needs of an airport."""

    iata: str
    name: str
    city: str
    country: str
    latitude: float
    longitude: float
    zone: ZoneInfo
    min_connection_domestic: int
    min_connection_international: int


@dataclass(frozen=True, slots=True)
class Airline:
    """What offers need of an airline."""

    iata: str
    name: str
    accounting_code: str
    test_only: bool
    active: bool


@dataclass(frozen=True, slots=True)
class FlashSale:
    """A price limited by time and stock; the stock is counted at the hold."""

    id: UUID
    no: int
    flight_id: UUID
    cabin: str
    percent_off: int
    starts_at: datetime
    ends_at: datetime
    left: bool
    flight_no: int | None


@dataclass(frozen=True, slots=True)
class Reference:
    """One consistent state of everything but flights."""

    airports: Mapping[str, Airport]
    cities: Mapping[str, tuple[str, ...]]
    airlines: Mapping[str, Airline]
    layouts: Mapping[str, AircraftLayout]
    rules: FareRules
    rates: CurrencyRates
    older_rates: Mapping[int, CurrencyRates]
    flash_sales: Mapping[int, FlashSale]
    sales_of: Mapping[tuple[UUID, str], FlashSale]

    def rates_of(self, version: int) -> CurrencyRates | None:
        """The rates an offer was made with; None when they are no longer kept."""
        return self.rates if version == self.rates.version else self.older_rates.get(version)

    def airport_changes(self, arrived: str, leaves: str) -> bool:
        """Whether a traveller who arrived at one airport must go on from another of the same city group."""
        return arrived != leaves and any(arrived in group and leaves in group for group in self.cities.values())

    def fare_route(self, origin: str, destination: str) -> FareRoute:
        """What taxes and distances need of a pair of airports."""
        a, b = self.airports[origin], self.airports[destination]
        kilometres = distance_km(a.latitude, a.longitude, b.latitude, b.longitude)
        return FareRoute(origin, a.country, destination, b.country, kilometres)


async def load_reference(connection: Connection, now: datetime) -> Reference:
    """Read it all in one snapshot (the caller's transaction). Default rules and rates hold where none are loaded."""
    airports, cities = await _places(connection)
    airlines = {
        row["iata"]: Airline(**dict(row))
        for row in await connection.fetch("SELECT iata, name, accounting_code, test_only, active FROM airline")
    }
    layouts = {
        row["code"]: read_layout(msgspec.json.decode(row["layout"]))
        for row in await connection.fetch("SELECT code, layout FROM aircraft_type")
    }
    rules = await connection.fetchrow("SELECT version, document FROM fare_rule_set ORDER BY version DESC LIMIT 1")
    rates = await connection.fetch("SELECT version, rates FROM currency_rates ORDER BY version DESC LIMIT 50")
    newest, *older = [read_rates(row["version"], msgspec.json.decode(row["rates"])) for row in rates] or [
        read_rates(0, DEFAULT_RATES)
    ]
    rule_set = (rules["version"], msgspec.json.decode(rules["document"])) if rules else (0, DEFAULT_RULES)
    sales = [
        FlashSale(**dict(row))
        for row in await connection.fetch(
            "SELECT s.id, s.no, s.flight_id, s.cabin, s.percent_off, s.starts_at, s.ends_at, s.stock_left > 0 AS left, "
            "f.no AS flight_no FROM flash_sale s LEFT JOIN flight f ON f.id = s.flight_id WHERE s.ends_at > $1",
            now - timedelta(hours=1),
        )
    ]
    return Reference(
        airports=airports,
        cities=cities,
        airlines=airlines,
        layouts=layouts,
        rules=read_rule_set(*rule_set),
        rates=newest,
        older_rates={entry.version: entry for entry in older},
        flash_sales={sale.no: sale for sale in sales},
        sales_of={(sale.flight_id, sale.cabin): sale for sale in sales if sale.left},
    )


async def _places(connection: Connection) -> tuple[dict[str, Airport], dict[str, tuple[str, ...]]]:
    airports: dict[str, Airport] = {}
    cities: dict[str, list[str]] = {}
    for row in await connection.fetch(
        "SELECT iata, name, city, country, latitude, longitude, time_zone, city_code, min_connection_domestic, "
        "min_connection_international FROM airport ORDER BY iata"
    ):
        airports[row["iata"]] = Airport(
            row["iata"],
            row["name"],
            row["city"],
            row["country"],
            row["latitude"],
            row["longitude"],
            ZoneInfo(row["time_zone"]),
            row["min_connection_domestic"] or DEFAULT_MIN_CONNECTION_DOMESTIC,
            row["min_connection_international"] or DEFAULT_MIN_CONNECTION_INTERNATIONAL,
        )
        if row["city_code"]:
            cities.setdefault(row["city_code"], []).append(row["iata"])
    return airports, {code: tuple(members) for code, members in cities.items()}
