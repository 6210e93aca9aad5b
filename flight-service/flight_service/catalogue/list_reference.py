"""List airlines and aircraft types."""

from typing import Any

from sqlalchemy import select

from flight_service.catalogue.layout import CabinLayout, read_layout
from flight_service.catalogue.tables import aircraft_type, airline
from flight_service.errors import NotFound
from rihla.db import Database


async def list_airlines(db: Database, *, test_mode: bool, after: str, limit: int) -> list[dict[str, Any]]:
    """Active airlines by code; test keys see the test airline only. One more than `limit` says there are more."""
    shown = (airline.c.active, airline.c.test_only.is_(test_mode), airline.c.iata > after)
    async with db.transaction() as session:
        rows = await session.execute(select(airline).where(*shown).order_by(airline.c.iata).limit(limit + 1))
        return [dict(row) for row in rows.mappings()]


async def list_aircraft(db: Database, *, after: str, limit: int) -> list[dict[str, Any]]:
    """Active aircraft types by code, with their seats."""
    shown = (aircraft_type.c.active, aircraft_type.c.code > after)
    async with db.transaction() as session:
        found = await session.execute(
            select(aircraft_type).where(*shown).order_by(aircraft_type.c.code).limit(limit + 1)
        )
        return [aircraft_document(dict(row)) for row in found.mappings()]


async def get_aircraft(db: Database, code: str) -> dict[str, Any]:
    """All an admin may set of an aircraft type. Raises NotFound."""
    names = ("name", "manufacturer", "cruise_kmh", "turnaround_minutes", "active", "layout")
    wanted = select(*(aircraft_type.c[name] for name in names)).where(aircraft_type.c.code == code)
    async with db.transaction() as session:
        row = (await session.execute(wanted)).mappings().first()
    if row is None:
        raise NotFound(f"There is no aircraft type with the code {code}.")
    return dict(row)


def aircraft_document(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `aircraft_type` as the API shows it."""
    layout = read_layout(row["layout"])
    return {
        "code": row["code"],
        "name": row["name"],
        "manufacturer": row["manufacturer"],
        "cabins": [_cabin(cabin) for cabin in layout.cabins.values()],
    }


def _cabin(cabin: CabinLayout) -> dict[str, Any]:
    return {
        "cabin": cabin.cabin,
        "capacity": cabin.capacity,
        "letters": cabin.letters,
        "rows": [
            {
                "number": number,
                "exit_row": number in cabin.exit_rows,
                "seats": [
                    {
                        "designator": seat.designator,
                        "position": seat.position,
                        "features": sorted(seat.features),
                        "blocked": seat.blocked,
                    }
                    for seat in cabin.row(number)
                ],
            }
            for number in cabin.rows
        ],
    }
