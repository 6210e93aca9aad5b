"""Load the seeded network. May be repeated: what is there already, and what admins changed, stays."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.tables import aircraft_type, airline, airport, city_group, country
from flight_service.fares.default_rules import DEFAULT_RATES, DEFAULT_RULES
from flight_service.fares.tables import currency_rates, fare_rule_set
from flight_service.network.airlines import AIRLINES
from flight_service.network.fleet import AIRCRAFT
from flight_service.network.places import airports, city_groups, countries
from flight_service.network.routes import VALID_FROM, VALID_UNTIL, Place, seed_schedules
from flight_service.schedules.generate_flights import Generated, generate_flights
from flight_service.schedules.tables import schedule
from rihla.db import Database


async def load_network(db: Database, *, now: datetime, days_ahead: int) -> Generated:
    """Places, airlines, aircraft, rules, rates, schedules, then flights from yesterday to `days_ahead`."""
    async with db.transaction() as session:
        await load_reference(session)
        await _load_schedules(session)
    # From a day back, so that the departure board of today is complete for every time zone.
    return await generate_flights(db, now=now - timedelta(days=1), days_ahead=days_ahead + 1)


async def load_reference(session: AsyncSession) -> None:
    """Places, airlines, aircraft, rules and rates; what is there already stays."""
    await _insert(session, country, [{"code": code, "name": name} for code, name in countries()])
    await _insert(session, city_group, [{"code": c, "name": name, "country": at} for c, name, at in city_groups()])
    present = await session.scalar(select(airport.c.iata).limit(1))
    if present is None:
        await _insert(session, airport, airports())
    await _insert(
        session,
        airline,
        [
            {
                "iata": entry.iata,
                "name": entry.name,
                "accounting_code": entry.accounting_code,
                "country": entry.country,
                "alliance": entry.alliance,
                "test_only": entry.test_only,
            }
            for entry in AIRLINES
        ],
    )
    await _insert(session, aircraft_type, list(AIRCRAFT))
    await _insert(session, fare_rule_set, [{"version": 1, "document": DEFAULT_RULES, "note": "The rules of the seed."}])
    await _insert(session, currency_rates, [{"version": 1, "rates": DEFAULT_RATES}])


async def _load_schedules(session: AsyncSession) -> None:
    columns = (airport.c.iata, airport.c.latitude, airport.c.longitude, airport.c.time_zone)
    found = await session.execute(select(*columns).where(airport.c.weight >= 50))
    places = {iata: Place(iata, latitude, longitude, ZoneInfo(zone)) for iata, latitude, longitude, zone in found}
    rows = [
        {
            "id": entry.id,
            "airline": entry.airline,
            "flight_number": entry.flight_number,
            "origin": entry.origin,
            "destination": entry.destination,
            "days_of_week": entry.days_of_week,
            "departure_time": entry.departure_time,
            "duration_minutes": entry.duration_minutes,
            "valid_from": VALID_FROM,
            "valid_until": VALID_UNTIL,
            "aircraft": entry.aircraft,
            "terminal": entry.terminal,
            "base_fares": entry.base_fares,
        }
        for entry in seed_schedules(places)
    ]
    await _insert(session, schedule, rows)


async def _insert(session: AsyncSession, table: Table, rows: list[dict[str, Any]]) -> None:
    await session.execute(insert(table).on_conflict_do_nothing(), rows)
