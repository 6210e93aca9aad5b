"""Create, change and end schedules. Unsold future flights follow a change; sold ones are reported and stay."""

from collections.abc import Callable, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.audit import add_audit
from flight_service.catalogue.distance import distance_km
from flight_service.catalogue.layout import AircraftLayout, Cabin
from flight_service.catalogue.store import load_layouts, load_time_zones
from flight_service.catalogue.tables import airline, airport
from flight_service.errors import AlreadyExists, NotFound
from flight_service.fares.base_fares import base_fares
from flight_service.fares.cabin_fares import read_fares
from flight_service.inventory.open_cabins import CabinRow, reopen_cabins
from flight_service.inventory.problems import FlightHasHolds
from flight_service.schedules.assign_airplane import free_airplanes
from flight_service.schedules.calendar import flight_times
from flight_service.schedules.generate_flights import generate_flights
from flight_service.schedules.tables import flight, schedule
from rihla.db import Database
from rihla.kernel import new_id
from rihla.web import ValidationFailed
from rihla.web.idempotency import IdempotentRequest, Replay

_SOLD = text(
    """
SELECT f.id, f.local_date, f.flight_number,
    EXISTS (SELECT 1 FROM cabin_inventory i WHERE i.flight_id = f.id AND i.free_seats < i.capacity) AS sold
FROM flight f WHERE f.schedule_id = :id AND f.departure_at > :now AND f.status IN ('scheduled', 'delayed')
ORDER BY f.local_date FOR UPDATE OF f
"""
)


@dataclass(frozen=True, slots=True)
class ScheduleData:
    """A whole schedule. `fares` None: by distance."""

    airline: str
    flight_number: str
    origin: str
    destination: str
    days_of_week: int
    departure_time: time
    duration_minutes: int
    valid_from: date
    valid_until: date
    aircraft: str
    terminal: str | None
    fares: dict[Cabin, str] | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of the flights."""

    schedule_id: UUID
    created: int
    updated: int
    removed: int
    sold_flights: list[dict[str, Any]]


async def create_schedule(
    db: Database,
    data: ScheduleData,
    *,
    actor: UUID,
    now: datetime,
    days_ahead: int,
    repeat: IdempotentRequest,
    answer: Callable[[Effect], bytes],
) -> Replay | bytes:
    """Store it and create its flights; the `answer` to what became of it, or the one saved under the same key.

    Raises ValidationFailed, FareInvalid, AlreadyExists, KeyReused, RequestInProgress.
    """
    async with db.transaction() as session:
        began = await repeat.begin(session, resource_id=new_id(), now=now)
        if isinstance(began, Replay):
            return began
        schedule_id = began.resource_id
        # A repeat after a crash finds the schedule of the first try.
        if not began.resumed or not await session.scalar(select(exists().where(schedule.c.id == schedule_id))):
            await _store(session, schedule_id, data, actor=actor, now=now)
    await generate_flights(db, now=now, days_ahead=days_ahead, only=[schedule_id])
    async with db.transaction() as session:
        made = select(func.count()).select_from(flight).where(flight.c.schedule_id == schedule_id)
        body = answer(Effect(schedule_id, int(await session.scalar(made) or 0), 0, 0, []))
        await repeat.finish(session, status=201, body=body)
    return body


async def _store(session: AsyncSession, schedule_id: UUID, data: ScheduleData, *, actor: UUID, now: datetime) -> None:
    values = await check_schedule(session, data)
    await _refuse_overlap(session, values, None)
    await session.execute(schedule.insert().values(id=schedule_id, **values))
    await add_audit(
        session, actor=actor, action="create", resource="schedule", resource_id=schedule_id, now=now, after=values
    )


async def change_schedule(
    db: Database, schedule_id: UUID, data: ScheduleData, *, actor: UUID, now: datetime, days_ahead: int
) -> Effect:
    """Replace it; unsold flights follow at once. Raises NotFound, ValidationFailed, FareInvalid, AlreadyExists."""
    async with db.transaction() as session:
        before = await _locked(session, schedule_id)
        values = await check_schedule(session, data, list(before["base_fares"]))
        await _refuse_overlap(session, values, schedule_id)
        changed = update(schedule).where(schedule.c.id == schedule_id)
        await session.execute(changed.values(**values, active=True, version=before["version"] + 1))
        flights = (await session.execute(_SOLD, {"id": schedule_id, "now": now})).mappings().all()
        unsold = [row for row in flights if not row["sold"]]
        updated, removed = await _follow(session, values, unsold)
        await add_audit(
            session,
            actor=actor,
            action="change",
            resource="schedule",
            resource_id=schedule_id,
            now=now,
            before={name: before[name] for name in values},
            after=values,
        )
    made = await generate_flights(db, now=now, days_ahead=days_ahead, only=[schedule_id])
    return Effect(schedule_id, made.flights, updated, removed, _reported(flights))


async def end_schedule(db: Database, schedule_id: UUID, *, actor: UUID, now: datetime) -> Effect:
    """Stop it: no new flights, unsold future ones go, sold ones are reported. Raises NotFound."""
    async with db.transaction() as session:
        await _locked(session, schedule_id)
        await session.execute(update(schedule).where(schedule.c.id == schedule_id).values(active=False))
        flights = (await session.execute(_SOLD, {"id": schedule_id, "now": now})).mappings().all()
        removed = await _remove(session, [row["id"] for row in flights if not row["sold"]])
        await add_audit(session, actor=actor, action="remove", resource="schedule", resource_id=schedule_id, now=now)
    return Effect(schedule_id, 0, 0, len(removed), _reported(flights, removed))


async def _follow(session: AsyncSession, values: dict[str, Any], unsold: list[Any]) -> tuple[int, int]:
    """Move unsold flights to the new schedule; those on days it no longer flies go."""
    zones, layouts = await load_time_zones(session), await load_layouts(session)
    gone = await _remove(session, [row["id"] for row in unsold if not _flies(values, row["local_date"])])
    kept = [row for row in unsold if _flies(values, row["local_date"])]
    await free_airplanes(session, [row["id"] for row in kept])  # at other times, or of another type: planned anew
    for row in kept:
        await _move(session, row, values, zones, layouts)
    return len(kept), len(gone)


async def _move(
    session: AsyncSession,
    row: Any,
    values: dict[str, Any],
    zones: dict[str, ZoneInfo],
    layouts: dict[str, AircraftLayout],
) -> None:
    origin, destination = zones[values["origin"]], zones[values["destination"]]
    times = flight_times(row["local_date"], values["departure_time"], values["duration_minutes"], origin, destination)
    moved = {
        name: values[name]
        for name in ("airline", "flight_number", "origin", "destination", "aircraft", "terminal", "base_fares")
    }
    await session.execute(
        update(flight)
        .where(flight.c.id == row["id"])
        .values(
            **moved,
            departure_at=times.departure_at,
            arrival_at=times.arrival_at,
            departure_offset=times.departure_offset,
            arrival_offset=times.arrival_offset,
            offer_version=flight.c.offer_version + 1,
        )
    )
    capacities = layouts[values["aircraft"]].capacities()
    await reopen_cabins(session, row["id"], [CabinRow(row["id"], cabin, seats) for cabin, seats in capacities.items()])


async def _remove(session: AsyncSession, flights: list[UUID]) -> set[UUID]:
    """Remove flights; one that was sold in this very moment stays. Those that went."""
    gone = set()
    for flight_id in flights:
        with suppress(FlightHasHolds):
            await reopen_cabins(session, flight_id, [])
            gone.add(flight_id)
    await session.execute(text("DELETE FROM flight WHERE id = ANY (CAST(:ids AS uuid[]))"), {"ids": list(gone)})
    return gone


def _flies(values: dict[str, Any], day: date) -> bool:
    return bool(values["days_of_week"] >> day.weekday() & 1 and values["valid_from"] <= day <= values["valid_until"])


def _reported(flights: Any, removed: Set[UUID] | None = None) -> list[dict[str, Any]]:
    """The sold flights; with `removed`, all that stayed."""
    return [
        {"id": str(row["id"]), "flight_number": row["flight_number"], "local_date": row["local_date"].isoformat()}
        for row in flights
        if (row["sold"] if removed is None else row["id"] not in removed)
    ]


async def _locked(session: AsyncSession, schedule_id: UUID) -> Any:
    found = await session.execute(select(schedule).where(schedule.c.id == schedule_id).with_for_update())
    row = found.mappings().first()
    if row is None:
        raise NotFound("There is no such schedule.")
    return row


async def check_schedule(session: AsyncSession, data: ScheduleData, present: list[int] | None = None) -> dict[str, Any]:
    """Columns of the schedule, everything it refers to being known. Raises ValidationFailed, FareInvalid."""
    wanted = select(airport).where(airport.c.iata.in_([data.origin, data.destination]))
    places = {row.iata: row for row in await session.execute(wanted)}
    errors = [
        _error(f"#/{name}", "unknown-place", f"There is no airport {code}.")
        for name, code in (("origin", data.origin), ("destination", data.destination))
        if code not in places
    ]
    if data.origin == data.destination:
        errors.append(_error("#/destination", "same-place", "Origin and destination are the same."))
    if not await session.scalar(select(airline.c.iata).where(airline.c.iata == data.airline, airline.c.active)):
        errors.append(_error("#/airline", "unknown-airline", f"There is no airline {data.airline}."))
    if not data.flight_number.startswith(data.airline):
        errors.append(_error("#/flight_number", "wrong-airline", "A flight number begins with its airline's code."))
    layout = (await load_layouts(session)).get(data.aircraft)
    if layout is None:
        errors.append(_error("#/aircraft", "unknown-aircraft", f"There is no aircraft type {data.aircraft}."))
    if data.valid_until < data.valid_from:
        errors.append(_error("#/valid_until", "empty-range", "The schedule ends before it begins."))
    if errors or layout is None:
        raise ValidationFailed(*errors)
    if data.fares is None:
        a, b = places[data.origin], places[data.destination]
        fares = present or base_fares(distance_km(a.latitude, a.longitude, b.latitude, b.longitude), layout.cabins)
    else:
        fares = read_fares(data.fares, layout)
    return {
        "airline": data.airline,
        "flight_number": data.flight_number,
        "origin": data.origin,
        "destination": data.destination,
        "days_of_week": data.days_of_week,
        "departure_time": data.departure_time,
        "duration_minutes": data.duration_minutes,
        "valid_from": data.valid_from,
        "valid_until": data.valid_until,
        "aircraft": data.aircraft,
        "terminal": data.terminal,
        "base_fares": fares,
    }


async def _refuse_overlap(session: AsyncSession, values: dict[str, Any], own: UUID | None) -> None:
    """The same number from the same airport on the same day twice would confuse every board."""
    found = await session.scalar(
        select(schedule.c.id).where(
            schedule.c.active,
            schedule.c.flight_number == values["flight_number"],
            schedule.c.origin == values["origin"],
            schedule.c.valid_from <= values["valid_until"],
            schedule.c.valid_until >= values["valid_from"],
            schedule.c.days_of_week.op("&")(values["days_of_week"]) != 0,
            schedule.c.id != (own or UUID(int=0)),
        )
    )
    if found is not None:
        raise AlreadyExists(f"{values['flight_number']} flies from {values['origin']} on some of these days already.")


def _error(pointer: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "message": message}
