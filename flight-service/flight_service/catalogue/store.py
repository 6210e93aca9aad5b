"""Queries on reference data."""

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.layout import AircraftLayout, read_layout
from flight_service.catalogue.tables import aircraft_type, airport


async def load_time_zones(session: AsyncSession) -> dict[str, ZoneInfo]:
    """The time zone of every airport."""
    rows = await session.execute(select(airport.c.iata, airport.c.time_zone))
    return {iata: ZoneInfo(zone) for iata, zone in rows}


async def load_layouts(session: AsyncSession) -> dict[str, AircraftLayout]:
    """The seat layout of every aircraft type."""
    rows = await session.execute(select(aircraft_type.c.code, aircraft_type.c.layout))
    return {code: read_layout(document) for code, document in rows}
