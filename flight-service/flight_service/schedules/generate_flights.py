"""Create flights from schedules. Harmless to repeat and to run on several machines at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Uuid

from flight_service.catalogue.layout import CABINS, AircraftLayout
from flight_service.catalogue.store import load_layouts, load_time_zones
from flight_service.inventory.open_cabins import CabinRow, insert_cabin_rows
from flight_service.schedules.calendar import flight_times, operating_days
from flight_service.schedules.tables import schedule
from rihla.db import Database
from rihla.kernel import new_id

# Small enough that a timetable takes the new flights over without keeping searches waiting.
_FLIGHTS_A_TRANSACTION = 1_500
# Two machines that generate at once take turns, chunk by chunk; behind it stands the unique key (schedule, local date).
_LOCK = 7_421_101
_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(:key)")

_COLUMNS = {
    "id": "uuid",
    "schedule_id": "uuid",
    "flight_number": "text",
    "airline": "text",
    "origin": "text",
    "destination": "text",
    "local_date": "date",
    "departure_at": "timestamptz",
    "arrival_at": "timestamptz",
    "departure_offset": "smallint",
    "arrival_offset": "smallint",
    "aircraft": "text",
    "terminal": "text",
}
# One statement with a column of values each: building a row of parameters for every flight takes ten times as long.
_INSERT = text(
    f"INSERT INTO flight ({', '.join(_COLUMNS)}, base_fares) "
    f"SELECT {', '.join(f'u.{name}' for name in _COLUMNS)}, ARRAY[{', '.join(f'u.{cabin}' for cabin in CABINS)}] "
    f"FROM unnest({', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in _COLUMNS.items())}, "
    f"{', '.join(f'CAST(:{cabin} AS int[])' for cabin in CABINS)}) "
    f"AS u({', '.join(_COLUMNS)}, {', '.join(CABINS)}) ON CONFLICT DO NOTHING RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Generated:
    """What a run made."""

    flights: int


async def generate_flights(
    db: Database,
    *,
    now: datetime,
    days_ahead: int,
    only: Sequence[UUID] | None = None,
    rest: float = 0.0,
) -> Generated:
    """Create what is missing for every active schedule (or `only` these), from today to `days_ahead` at the origin.

    `rest` is how long to pause after a transaction, as a multiple of what it took: a worker leaves room for others.
    """
    async with db.transaction() as session:
        chosen = schedule.c.active if only is None else schedule.c.active & schedule.c.id.in_(only)
        rows = (await session.execute(schedule.select().where(chosen).order_by(schedule.c.id))).mappings().all()
        zones = await load_time_zones(session)
        layouts = await load_layouts(session)
    made = 0
    step = max(1, _FLIGHTS_A_TRANSACTION // (days_ahead + 1))
    for at in range(0, len(rows), step):
        started = time.monotonic()
        async with db.transaction() as session:
            await session.execute(_TAKE_TURNS, {"key": _LOCK})
            chunk = rows[at : at + step]
            made += await _generate_chunk(session, chunk, zones, layouts, now, days_ahead)
        if rest:
            await asyncio.sleep(rest * (time.monotonic() - started))
    return Generated(made)


async def _generate_chunk(
    session: AsyncSession,
    schedules: Sequence[Any],
    zones: dict[str, ZoneInfo],
    layouts: dict[str, AircraftLayout],
    now: datetime,
    days_ahead: int,
) -> int:
    known = await _known_days(session, [row["id"] for row in schedules], now)
    flights = [
        _flight_row(row, day, zones)
        for row in schedules
        for day in _days_of(row, zones[row["origin"]], now, days_ahead)
        if (row["id"], day) not in known
    ]
    flights = [row for row in flights if row["departure_at"] > now]
    return await insert_flights(session, flights, layouts)


async def insert_flights(
    session: AsyncSession, rows: Sequence[dict[str, Any]], layouts: dict[str, AircraftLayout]
) -> int:
    """Insert flights that are not there yet, with their cabins. Part of the caller's transaction."""
    if not rows:
        return 0
    values: dict[str, Any] = {name: [row[name] for row in rows] for name in _COLUMNS}
    values |= {cabin: [row["base_fares"][index] for row in rows] for index, cabin in enumerate(CABINS)}
    created = set((await session.execute(_INSERT, values)).scalars())
    capacities = {code: layout.capacities() for code, layout in layouts.items()}
    await insert_cabin_rows(
        session,
        [
            CabinRow(row["id"], cabin, capacity)
            for row in rows
            if row["id"] in created
            for cabin, capacity in capacities[row["aircraft"]].items()
            if row["base_fares"][CABINS.index(cabin)]
        ],
    )
    return len(created)


async def _known_days(session: AsyncSession, schedules: list[UUID], now: datetime) -> set[tuple[UUID, date]]:
    """Days that have their flight already: asking first spares the numbers a conflict would use up."""
    statement = text(
        "SELECT schedule_id, local_date FROM flight WHERE schedule_id = ANY(:ids) AND local_date >= :first"
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid(as_uuid=True))))
    found = await session.execute(statement, {"ids": schedules, "first": (now - timedelta(days=2)).date()})
    return {(row.schedule_id, row.local_date) for row in found}


def _days_of(row: Any, zone: ZoneInfo, now: datetime, days_ahead: int) -> list[date]:
    today = now.astimezone(zone).date()
    last = today + timedelta(days=days_ahead)
    return list(operating_days(row["days_of_week"], row["valid_from"], row["valid_until"], today, last))


def _flight_row(row: Any, day: date, zones: dict[str, ZoneInfo]) -> dict[str, Any]:
    origin, destination = zones[row["origin"]], zones[row["destination"]]
    times = flight_times(day, row["departure_time"], row["duration_minutes"], origin, destination)
    return {
        "id": new_id(),
        "schedule_id": row["id"],
        "flight_number": row["flight_number"],
        "airline": row["airline"],
        "origin": row["origin"],
        "destination": row["destination"],
        "local_date": day,
        "departure_at": times.departure_at,
        "arrival_at": times.arrival_at,
        "departure_offset": times.departure_offset,
        "arrival_offset": times.arrival_offset,
        "aircraft": row["aircraft"],
        "terminal": row["terminal"],
        "base_fares": row["base_fares"],
    }
