"""List cities and countries."""

from typing import Any

from sqlalchemy import func, select

from flight_service.catalogue.tables import airport, city_group, country
from rihla.db import Database


async def list_cities(
    db: Database, *, prefix: str, country_code: str | None, after: str, limit: int
) -> list[dict[str, Any]]:
    """Cities by code with their airports; `prefix`: of code or name. One more than `limit` says more exist."""
    members = select(func.array_agg(airport.c.iata)).where(airport.c.city_code == city_group.c.code).scalar_subquery()
    wanted = select(city_group, members.label("airports")).where(city_group.c.code > after)
    if prefix:
        begins = city_group.c.name.istartswith(prefix, autoescape=True)
        wanted = wanted.where(begins | city_group.c.code.istartswith(prefix, autoescape=True))
    if country_code:
        wanted = wanted.where(city_group.c.country == country_code)
    async with db.transaction() as session:
        rows = (await session.execute(wanted.order_by(city_group.c.code).limit(limit + 1))).mappings().all()
    return [{**row, "airports": sorted(row["airports"] or [])} for row in rows]


async def list_countries(db: Database, *, after: str, limit: int) -> list[dict[str, Any]]:
    """Countries that have an airport, by code. One more than `limit` says there are more."""
    wanted = select(country).where(country.c.code > after).order_by(country.c.code).limit(limit + 1)
    async with db.transaction() as session:
        return [dict(row) for row in (await session.execute(wanted)).mappings()]
