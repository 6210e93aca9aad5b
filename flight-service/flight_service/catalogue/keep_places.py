"""Create, replace and remove countries, cities and airports. Each with an audit row in the same commit."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.keep_reference import put_row, remove_row
from flight_service.catalogue.place_names import search_text
from flight_service.catalogue.tables import airport, city_group, country
from flight_service.errors import AlreadyExists, InUse
from flight_service.schedules.tables import flight, schedule
from rihla.db import Database
from rihla.web import ValidationFailed

# What times, connections and taxes of flights were computed from.
_FIXED_IN_USE = ("country", "latitude", "longitude", "time_zone")


async def put_country(db: Database, code: str, name: str, *, actor: UUID, now: datetime) -> bool:
    """Create or rename a country; whether it is new."""
    async with db.transaction() as session:
        return await put_row(session, country, "code", code, {"name": name}, "country", actor, now)


async def remove_country(db: Database, code: str, *, actor: UUID, now: datetime) -> None:
    """Raises NotFound, and InUse while places or airlines are in it."""
    await remove_row(
        db, country, "code", code, "country", actor, now, in_use="Airports, cities or airlines are in this country."
    )


async def put_city(db: Database, code: str, values: dict[str, Any], *, actor: UUID, now: datetime) -> bool:
    """Create or replace a city; whether it is new. Raises ValidationFailed for an unknown country."""
    async with db.transaction() as session:
        await _check(session, values)
        return await put_row(session, city_group, "code", code, values, "city", actor, now)


async def remove_city(db: Database, code: str, *, actor: UUID, now: datetime) -> None:
    """Raises NotFound, and InUse while airports belong to it."""
    await remove_row(
        db, city_group, "code", code, "city", actor, now, in_use="Airports belong to this city: move them first."
    )


async def put_airport(db: Database, iata: str, values: dict[str, Any], *, actor: UUID, now: datetime) -> bool:
    """Create or replace an airport; whether it is new. It can be searched at once.

    Raises ValidationFailed for an unknown country, city or time zone, AlreadyExists for a taken ICAO code, and
    InUse when schedules or flights stand on the position, country or time zone that would change.
    """
    async with db.transaction() as session:
        await _check(session, values)
        taken = select(airport.c.iata).where(airport.c.icao == values["icao"], airport.c.iata != iata)
        if values["icao"] and (other := await session.scalar(taken)):
            raise AlreadyExists(f"{other} has this ICAO code.", icao=values["icao"])
        before = (await session.execute(select(airport).where(airport.c.iata == iata))).mappings().first()
        if before and any(before[name] != values[name] for name in _FIXED_IN_USE) and await _served(session, iata):
            raise InUse("Flights serve this airport: its country, position and time zone are what their times rest on.")
        text = search_text(iata, values["city"], values["name"], values["subdivision"], values["city_code"])
        return await put_row(session, airport, "iata", iata, {**values, "search_text": text}, "airport", actor, now)


async def remove_airport(db: Database, iata: str, *, actor: UUID, now: datetime) -> None:
    """Raises NotFound, and InUse while schedules or flights serve it."""
    await remove_row(
        db, airport, "iata", iata, "airport", actor, now, in_use="Schedules or flights serve this airport."
    )


async def _check(session: AsyncSession, values: dict[str, Any]) -> None:
    """Everything a place refers to is known. Raises ValidationFailed with all that is not."""
    errors = []
    if not await session.scalar(select(country.c.code).where(country.c.code == values["country"])):
        errors.append(_error("country", "unknown-country", "There is no such country in our list."))
    city = values.get("city_code")
    if city and not await session.scalar(select(city_group.c.code).where(city_group.c.code == city)):
        errors.append(_error("city_code", "unknown-place", f"There is no city {city}."))
    if "time_zone" in values and not _is_zone(values["time_zone"]):
        errors.append(_error("time_zone", "unknown-time-zone", "This is not a time zone of the IANA database."))
    if errors:
        raise ValidationFailed(*errors)


async def _served(session: AsyncSession, iata: str) -> bool:
    served = [exists().where(or_(table.c.origin == iata, table.c.destination == iata)) for table in (schedule, flight)]
    return bool(await session.scalar(select(or_(*served))))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _error(field: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": f"#/{field}", "code": code, "message": message}
