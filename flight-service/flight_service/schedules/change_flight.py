"""Change one flight: status, delay, gate, terminal, time, fares. Events leave through the outbox in the same commit."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.audit import add_audit
from flight_service.catalogue.layout import CABINS, Cabin
from flight_service.catalogue.store import load_layouts, load_time_zones
from flight_service.errors import FlightNotFound
from flight_service.fares.cabin_fares import read_fares
from flight_service.fares.price_history import note_fares
from flight_service.inventory.open_cabins import CabinRow, insert_cabin_rows
from flight_service.schedules.assign_airplane import move_airplane
from flight_service.schedules.calendar import utc_offset
from flight_service.schedules.operations import Change, FlightState, Happening, Operated, operate
from flight_service.schedules.tables import flight, flight_status_entry
from rihla.contracts.events import (
    FlightCancelledV1,
    FlightDelayedV1,
    FlightDepartedV1,
    FlightGateChangedV1,
    FlightRetimedV1,
)
from rihla.db import Database
from rihla.db.outbox import add_event

Event = FlightCancelledV1 | FlightDelayedV1 | FlightDepartedV1 | FlightGateChangedV1 | FlightRetimedV1


@dataclass(frozen=True, slots=True)
class FlightChange:
    """What an admin asks; `fares` in US dollars by cabin."""

    operation: Change
    fares: dict[Cabin, str] | None
    reason: str | None


async def change_flight(db: Database, flight_id: UUID, change: FlightChange, *, actor: UUID, now: datetime) -> None:
    """Apply it all or nothing. Raises FlightNotFound, OperationRefused, FareInvalid, AirplaneBusy."""
    async with db.transaction() as session:
        found = await session.execute(select(flight).where(flight.c.id == flight_id).with_for_update())
        row = found.mappings().first()
        if row is None:
            raise FlightNotFound("There is no such flight; it may have been archived.")
        done = operate(state_of(row), change.operation, now)
        fares = await _fares(session, row, change.fares)
        await apply(session, dict(row), done, fares, reason=change.reason, now=now)
        await add_audit(
            session,
            actor=actor,
            action="change",
            resource="flight",
            resource_id=flight_id,
            now=now,
            before=_audited(dict(row)),
            after=_audited({**row, **_columns(done.state), "base_fares": fares}),
        )


async def apply(
    session: AsyncSession, row: dict[str, Any], done: Operated, fares: list[int], *, reason: str | None, now: datetime
) -> None:
    """Write a flight's new state with its events, in the caller's transaction, the row being locked."""
    touched = done.touches_offers or fares != list(row["base_fares"])
    zones = await load_time_zones(session)
    values = {
        **_columns(done.state),
        "base_fares": fares,
        "departure_offset": utc_offset(done.state.departure_at, zones[row["origin"]]),
        "arrival_offset": utc_offset(done.state.arrival_at, zones[row["destination"]]),
        "offer_version": row["offer_version"] + touched,
        "sequence": row["sequence"] + len(done.happenings),
    }
    await session.execute(update(flight).where(flight.c.id == row["id"]).values(**values))
    if values["status"] == "cancelled" or values["departure_at"] != row["departure_at"]:
        await move_airplane(session, {**row, **values})
    if fares != list(row["base_fares"]):
        await _open_new_cabins(session, row, fares)
        await note_fares(session, [row["id"]], fares, reason="fare", now=now)
    after = {**row, **values}
    for index, happening in enumerate(done.happenings, start=1):
        event = _event(happening, row, after, reason, now)
        await add_event(session, event, aggregate_id=row["id"], sequence=row["sequence"] + index, now=now)
        await session.execute(
            insert(flight_status_entry).values(
                flight_id=row["id"],
                sequence=row["sequence"] + index,
                at=now,
                kind=event.event_type,
                document=event.model_dump(mode="json"),
            )
        )


def state_of(row: Any) -> FlightState:
    """The state operations work on."""
    return FlightState(
        row["status"], row["departure_at"], row["arrival_at"], row["delay_minutes"], row["gate"], row["terminal"]
    )


async def _fares(session: AsyncSession, row: Any, asked: dict[Cabin, str] | None) -> list[int]:
    if not asked:
        return list(row["base_fares"])
    layouts = await load_layouts(session)
    return read_fares(asked, layouts[row["aircraft"]], row["base_fares"])


async def _open_new_cabins(session: AsyncSession, row: dict[str, Any], fares: list[int]) -> None:
    """A cabin that had no fare was never put on sale."""
    capacities = (await load_layouts(session))[row["aircraft"]].capacities()
    rows = [
        CabinRow(row["id"], cabin, capacity) for cabin, capacity in capacities.items() if fares[CABINS.index(cabin)]
    ]
    await insert_cabin_rows(session, rows)


def _columns(state: FlightState) -> dict[str, Any]:
    return {
        "status": state.status,
        "departure_at": state.departure_at,
        "arrival_at": state.arrival_at,
        "delay_minutes": state.delay_minutes,
        "gate": state.gate,
        "terminal": state.terminal,
    }


def _audited(row: dict[str, Any]) -> dict[str, Any]:
    names = ("status", "departure_at", "arrival_at", "delay_minutes", "gate", "terminal", "base_fares")
    return {name: row[name] for name in names}


def _event(
    happening: Happening, before: dict[str, Any], after: dict[str, Any], reason: str | None, now: datetime
) -> Event:
    facts: dict[str, Any] = {
        "flight_id": after["id"],
        "flight_number": after["flight_number"],
        "airline": after["airline"],
        "origin": after["origin"],
        "destination": after["destination"],
        "departure_at": _local(after["departure_at"], after["departure_offset"]),
        "arrival_at": _local(after["arrival_at"], after["arrival_offset"]),
        "terminal": after["terminal"],
        "gate": after["gate"],
        "delay_minutes": after["delay_minutes"],
        "occurred_at": now,
    }
    if happening == "delayed":
        return FlightDelayedV1(**facts)
    if happening == "gate_changed":
        return FlightGateChangedV1(**facts, previous_gate=before["gate"], previous_terminal=before["terminal"])
    if happening == "cancelled":
        return FlightCancelledV1(**facts, reason=reason)
    if happening == "departed":
        return FlightDepartedV1(**facts)
    return FlightRetimedV1(
        **facts,
        previous_departure_at=_local(before["departure_at"], before["departure_offset"]),
        previous_arrival_at=_local(before["arrival_at"], before["arrival_offset"]),
    )


def _local(at: datetime, offset: int) -> datetime:
    return at.astimezone(timezone(timedelta(minutes=offset)))
