"""Asking for a call: one place of a slot, one live request a person; both held by unique indexes."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.callbacks import store
from chat_service.callbacks.errors import (
    CallbackNotFound,
    CallbackPending,
    CallbackStateConflict,
    SlotFull,
    SlotNotOffered,
)
from chat_service.callbacks.schemas import CallbackOutcome, NewCallback
from chat_service.callbacks.slots import free_place, slots
from chat_service.conversations.access import refuse_blocked
from rihla.db import Database
from rihla.kernel import Clock, new_id


async def request_callback(
    db: Database, clock: Clock, user_id: UUID, wanted: NewCallback, *, hours: tuple[int, int], places: int
) -> RowMapping:
    """Raises SlotNotOffered, SlotFull, CallbackPending and AccountSuspended."""
    now = clock.now()
    slot_at = wanted.slot_at.astimezone(UTC)
    if slot_at not in slots(now, hours):
        raise SlotNotOffered("Choose one of the slots we offer.")
    for _ in range(places):
        async with db.transaction() as session:
            await refuse_blocked(session, user_id)
            if await store.live_of(session, user_id) is not None:
                raise CallbackPending("You wait for a call already; cancel it to choose another time.")
            place = free_place(await store.taken_places(session, slot_at), places)
            if place is None:
                break
            values = {
                "id": new_id(),
                "user_id": user_id,
                "phone": wanted.phone,
                "language": wanted.language,
                "topic": wanted.topic,
                "slot_at": slot_at,
                "place": place,
                "status": "requested",
                "created_at": now,
            }
            made = await store.add_callback(session, values)
        if made is not None:
            return made
    raise SlotFull("All calls at this time are taken; choose another time.")


async def cancel_callback(db: Database, clock: Clock, user_id: UUID, callback_id: UUID) -> RowMapping:
    """The person does not wait any more; repeating it changes nothing. Raises CallbackNotFound and
    CallbackStateConflict."""
    async with db.transaction() as session:
        found = await store.load_callback(session, callback_id)
        if found is None or found["user_id"] != user_id:
            raise CallbackNotFound("There is no such request among yours.")
        if found["status"] == "cancelled":
            return found
        return await _move(session, found, ("requested", "claimed"), clock.now(), status="cancelled")


async def claim_callback(db: Database, clock: Clock, staff_id: UUID, callback_id: UUID) -> RowMapping:
    """Somebody at the desk will call. Raises CallbackNotFound and CallbackStateConflict."""
    async with db.transaction() as session:
        found = await store.load_callback(session, callback_id)
        if found is None:
            raise CallbackNotFound("There is no such request.")
        if found["status"] == "claimed" and found["assignee_id"] == staff_id:
            return found
        return await _move(session, found, ("requested",), None, status="claimed", assignee_id=staff_id)


async def settle_callback(
    db: Database, clock: Clock, staff_id: UUID, callback_id: UUID, outcome: CallbackOutcome
) -> RowMapping:
    """How the call went, by whoever claimed it. Raises CallbackNotFound and CallbackStateConflict."""
    async with db.transaction() as session:
        found = await store.load_callback(session, callback_id)
        if found is None or found["assignee_id"] != staff_id:
            raise CallbackNotFound("There is no such request among those you claimed.")
        return await _move(session, found, ("claimed",), clock.now(), status=outcome.status, note=outcome.note)


async def _move(
    session: AsyncSession, found: RowMapping, allowed: tuple[str, ...], settled_at: datetime | None, **values: object
) -> RowMapping:
    if found["status"] not in allowed:
        raise CallbackStateConflict(f"This request is {found['status']}.", status=found["status"])
    return await store.change_callback(session, found["id"], settled_at=settled_at, **values)
