"""Flights without a schedule: put one on, take an unsold flight off."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.audit import add_audit
from flight_service.catalogue.layout import Cabin
from flight_service.catalogue.store import load_layouts, load_time_zones
from flight_service.errors import AlreadyExists, FlightNotFound, InUse
from flight_service.inventory.open_cabins import reopen_cabins
from flight_service.inventory.problems import FlightHasHolds
from flight_service.schedules.calendar import utc_offset
from flight_service.schedules.generate_flights import insert_flights
from flight_service.schedules.keep_schedules import ScheduleData, check_schedule
from flight_service.schedules.tables import flight
from rihla.db import Database
from rihla.kernel import new_id
from rihla.web import ValidationFailed
from rihla.web.idempotency import IdempotentRequest, Replay


@dataclass(frozen=True, slots=True)
class FlightData:
    """One flight. `fares` None: by distance."""

    airline: str
    flight_number: str
    origin: str
    destination: str
    departure_at: datetime
    duration_minutes: int
    aircraft: str
    terminal: str | None
    fares: dict[Cabin, str] | None


async def add_flight(
    db: Database,
    data: FlightData,
    *,
    actor: UUID,
    now: datetime,
    repeat: IdempotentRequest,
    answer: Callable[[UUID], Awaitable[bytes]],
) -> Replay | bytes:
    """Put a flight on sale; the `answer` for it, or the one saved under the same key.

    Raises ValidationFailed, FareInvalid, AlreadyExists, KeyReused, RequestInProgress.
    """
    async with db.transaction() as session:
        began = await repeat.begin(session, resource_id=new_id(), now=now)
        if isinstance(began, Replay):
            return began
        flight_id = began.resource_id
        # A repeat after a crash finds the flight of the first try.
        if not began.resumed or not await session.scalar(select(exists().where(flight.c.id == flight_id))):
            await _put_on_sale(session, flight_id, data, actor=actor, now=now)
    body = await answer(flight_id)
    async with db.transaction() as session:
        await repeat.finish(session, status=201, body=body)
    return body


async def _put_on_sale(session: AsyncSession, flight_id: UUID, data: FlightData, *, actor: UUID, now: datetime) -> None:
    if data.departure_at <= now:
        message = "The departure must lie in the future."
        raise ValidationFailed({"pointer": "#/departure_at", "code": "date-in-past", "message": message})
    zones, layouts = await load_time_zones(session), await load_layouts(session)
    day = data.departure_at.date()
    checked = await check_schedule(
        session,
        ScheduleData(
            airline=data.airline,
            flight_number=data.flight_number,
            origin=data.origin,
            destination=data.destination,
            days_of_week=1 << day.weekday(),
            departure_time=data.departure_at.time(),
            duration_minutes=data.duration_minutes,
            valid_from=day,
            valid_until=day,
            aircraft=data.aircraft,
            terminal=data.terminal,
            fares=data.fares,
        ),
    )
    arrival = data.departure_at + timedelta(minutes=data.duration_minutes)
    row: dict[str, Any] = {
        "id": flight_id,
        "schedule_id": None,
        "flight_number": data.flight_number,
        "airline": data.airline,
        "origin": data.origin,
        "destination": data.destination,
        "local_date": data.departure_at.astimezone(zones[data.origin]).date(),
        "departure_at": data.departure_at,
        "arrival_at": arrival,
        "departure_offset": utc_offset(data.departure_at, zones[data.origin]),
        "arrival_offset": utc_offset(arrival, zones[data.destination]),
        "aircraft": data.aircraft,
        "terminal": data.terminal,
        "base_fares": checked["base_fares"],
    }
    if not await insert_flights(session, [row], layouts):
        raise AlreadyExists(f"{data.flight_number} flies from {data.origin} on this day already.")
    await add_audit(session, actor=actor, action="create", resource="flight", resource_id=flight_id, now=now, after=row)


async def remove_flight(db: Database, flight_id: UUID, *, actor: UUID, now: datetime) -> None:
    """Take an unsold flight off. One of a schedule stays as cancelled, so that it is not made again.

    Raises FlightNotFound, and InUse when seats are held or sold: cancel such a flight instead.
    """
    async with db.transaction() as session:
        found = await session.execute(select(flight).where(flight.c.id == flight_id).with_for_update())
        row = found.mappings().first()
        if row is None:
            raise FlightNotFound("There is no such flight; it may have been archived.")
        try:
            await reopen_cabins(session, flight_id, [])
        except FlightHasHolds as error:
            raise InUse("Seats of this flight are held or sold: cancel it instead, so that people are told.") from error
        if row["schedule_id"] is None:
            await session.execute(delete(flight).where(flight.c.id == flight_id))
        else:
            changed = {"status": "cancelled", "offer_version": row["offer_version"] + 1}
            await session.execute(update(flight).where(flight.c.id == flight_id).values(**changed))
        await add_audit(session, actor=actor, action="remove", resource="flight", resource_id=flight_id, now=now)
