"""Say which airplane flies a flight. It is never on two flights at once, the time to turn it round included.

The database has the last word (exclusion constraints over registration and time, and over registration and type); what
is looked up before is for the wording of the refusal. Planned times count: a delay is a fact that nobody can refuse.
Whether the airplane stands at the origin is not checked: ferry flights are not in the timetable.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.audit import add_audit
from flight_service.errors import AirplaneBusy, FlightNotFound, NotFound
from flight_service.schedules.operations import OperationRefused
from flight_service.schedules.tables import flight
from rihla.db import Database
from rihla.web import ValidationFailed

TURNAROUND = timedelta(minutes=45)
"""From the blocks of one flight to those of the next: a usual minimum for a short-haul airplane."""
_IN_THE_WAY = text(
    """
SELECT f.id, f.flight_number, a.aircraft FROM airplane_assignment a JOIN flight f ON f.id = a.flight_id
WHERE a.registration = :registration AND a.flight_id <> :flight_id
    AND (a.aircraft <> :aircraft OR a.busy && tstzrange(:begins, :ends))
ORDER BY a.aircraft <> :aircraft DESC LIMIT 1
"""
)
_ASSIGN = text(
    """
INSERT INTO airplane_assignment (flight_id, registration, aircraft, busy)
VALUES (:flight_id, :registration, :aircraft, tstzrange(:begins, :ends))
ON CONFLICT (flight_id) DO UPDATE
    SET registration = EXCLUDED.registration, aircraft = EXCLUDED.aircraft, busy = EXCLUDED.busy
"""
)
_READ = text(
    "SELECT flight_id, registration, aircraft, lower(busy) AS busy_from, upper(busy) AS busy_until "
    "FROM airplane_assignment WHERE flight_id = :id"
)
_REMOVE = text("DELETE FROM airplane_assignment WHERE flight_id = ANY (CAST(:ids AS uuid[])) RETURNING registration")


@dataclass(frozen=True, slots=True)
class Assignment:
    """An airplane on a flight, and the time it is taken."""

    flight_id: UUID
    registration: str
    aircraft: str
    busy_from: datetime
    busy_until: datetime


async def assign_airplane(
    db: Database, flight_id: UUID, registration: str, *, actor: UUID, now: datetime
) -> Assignment:
    """Put the airplane on the flight, in place of another. Raises FlightNotFound, OperationRefused, AirplaneBusy,
    ValidationFailed."""
    async with db.transaction() as session:
        found = await session.execute(select(flight).where(flight.c.id == flight_id).with_for_update())
        row = found.mappings().first()
        if row is None:
            raise FlightNotFound("There is no such flight; it may have been archived.")
        if row["status"] == "cancelled":
            raise OperationRefused("The flight is cancelled.")
        await _occupy(session, dict(row), registration)
        await add_audit(
            session,
            actor=actor,
            action="change",
            resource="flight",
            resource_id=flight_id,
            now=now,
            after={"airplane": registration},
        )
    return await read_airplane(db, flight_id)


async def read_airplane(db: Database, flight_id: UUID) -> Assignment:
    """The airplane of a flight. Raises NotFound when it has none yet."""
    async with db.transaction() as session:
        row = (await session.execute(_READ, {"id": flight_id})).mappings().first()
    if row is None:
        raise NotFound("No airplane is assigned to this flight.")
    return Assignment(**row)


async def take_airplane_off(db: Database, flight_id: UUID, *, actor: UUID, now: datetime) -> None:
    """Take the airplane off the flight. Raises NotFound when it has none."""
    async with db.transaction() as session:
        if not await free_airplanes(session, [flight_id]):
            raise NotFound("No airplane is assigned to this flight.")
        await add_audit(
            session,
            actor=actor,
            action="change",
            resource="flight",
            resource_id=flight_id,
            now=now,
            after={"airplane": None},
        )


async def free_airplanes(session: AsyncSession, flights: list[UUID]) -> list[str]:
    """Forget the airplanes of flights; their registrations."""
    return list((await session.execute(_REMOVE, {"ids": flights})).scalars())


async def move_airplane(session: AsyncSession, row: dict[str, Any]) -> None:
    """Let a flight's airplane follow its new times or its cancellation. Raises AirplaneBusy."""
    if row["status"] == "cancelled":
        await free_airplanes(session, [row["id"]])
        return
    assigned = (await session.execute(_READ, {"id": row["id"]})).mappings().first()
    if assigned is not None:
        await _occupy(session, row, assigned["registration"])


async def _occupy(session: AsyncSession, row: dict[str, Any], registration: str) -> None:
    values = {
        "flight_id": row["id"],
        "registration": registration,
        "aircraft": row["aircraft"],
        "begins": row["departure_at"],
        "ends": row["arrival_at"] + TURNAROUND,
    }
    other = (await session.execute(_IN_THE_WAY, values)).mappings().first()
    if other is not None and other["aircraft"] != row["aircraft"]:
        message = f"{registration} is a {other['aircraft']}; this flight flies with a {row['aircraft']}."
        raise ValidationFailed({"pointer": "#/registration", "code": "wrong-type", "message": message})
    if other is not None:
        message = f"{registration} flies {other['flight_number']} at that time, or is being turned round after it."
        raise AirplaneBusy(message, flight_id=str(other["id"]))
    try:
        await session.execute(_ASSIGN, values)
    except IntegrityError as error:  # another administrator was quicker by a moment
        raise AirplaneBusy(f"{registration} has just been put on another flight; look again.") from error
