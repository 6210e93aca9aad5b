"""The seeded schedules: hub and spoke, in two waves a day, with aircraft and fares by distance. Pure and repeatable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from flight_service.catalogue.distance import distance_km
from flight_service.catalogue.layout import CABINS
from flight_service.fares.base_fares import base_fares
from flight_service.network.airlines import AIRLINES, SeedAirline
from flight_service.schedules.calendar import ALL_DAYS

VALID_FROM, VALID_UNTIL = date(2025, 1, 1), date(2035, 12, 31)
_REFERENCE_DAY = date(2026, 12, 1)
_CABINS_OF = {
    "AT7": ("economy",),
    "32N": ("economy", "business"),
    "789": ("economy", "premium_economy", "business"),
    "77W": CABINS,
}
_SPEED = {"AT7": 500, "32N": 830, "789": 900, "77W": 905}


@dataclass(frozen=True, slots=True)
class Place:
    """What a route needs of an airport."""

    iata: str
    latitude: float
    longitude: float
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class SeedSchedule:
    """One row of `schedule`."""

    id: UUID
    airline: str
    flight_number: str
    origin: str
    destination: str
    days_of_week: int
    departure_time: time
    duration_minutes: int
    aircraft: str
    terminal: str
    base_fares: list[int]


def network_airports() -> set[str]:
    """Every airport the seeded network serves."""
    return {code for airline in AIRLINES for code in (airline.hub, *airline.trunks, *airline.spokes)}


def seed_schedules(places: Mapping[str, Place]) -> list[SeedSchedule]:
    """All schedules; the same every time."""
    return [schedule for airline in AIRLINES for schedule in _of_airline(airline, places)]


def _of_airline(airline: SeedAirline, places: Mapping[str, Place]) -> Iterator[SeedSchedule]:
    number = 101
    for position, code in enumerate((*airline.trunks, *airline.spokes)):
        waves = (0, 1) if code in airline.trunks else (position % 2,)
        for wave in waves:
            yield from _round(airline, number, position, wave, places[airline.hub], places[code])
            number += 2


def _round(
    airline: SeedAirline, number: int, position: int, wave: int, hub: Place, spoke: Place
) -> Iterator[SeedSchedule]:
    """Out in a wave of the hub, back after a turn at the spoke."""
    kilometres = distance_km(hub.latitude, hub.longitude, spoke.latitude, spoke.longitude)
    aircraft = _aircraft_for(kilometres, number)
    minutes = 30 + round(kilometres / _SPEED[aircraft] * 60 / 5) * 5
    leaves = (7 * 60 + 30 if wave == 0 else 20 * 60) + position * 35 % 210 // 5 * 5
    out = datetime.combine(_REFERENCE_DAY, time(leaves // 60, leaves % 60), hub.zone).astimezone(UTC)
    back = out + timedelta(minutes=minutes + (90 if kilometres > 5_500 else 60))
    fares = base_fares(kilometres, _CABINS_OF[aircraft])

    def row(flight_number: int, origin: Place, destination: Place, at: datetime) -> SeedSchedule:
        name = f"{airline.iata}{flight_number}"
        return SeedSchedule(
            id=uuid5(NAMESPACE_URL, f"rihla:schedule:{name}"),
            airline=airline.iata,
            flight_number=name,
            origin=origin.iata,
            destination=destination.iata,
            days_of_week=ALL_DAYS,
            departure_time=at.astimezone(origin.zone).time(),
            duration_minutes=minutes,
            aircraft=aircraft,
            terminal=str(1 + flight_number // 2 % 3),
            base_fares=fares,
        )

    yield row(number, hub, spoke, out)
    yield row(number + 1, spoke, hub, back)


def _aircraft_for(kilometres: int, number: int) -> str:
    if kilometres < 700:
        return "AT7"
    if kilometres < 5_600:
        return "32N"
    return "77W" if number % 3 == 0 else "789"
