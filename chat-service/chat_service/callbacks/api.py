"""Callbacks, for those who wait and those who call."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chat_service.callbacks import store
from chat_service.callbacks.request_callback import (
    cancel_callback,
    claim_callback,
    request_callback,
    settle_callback,
)
from chat_service.callbacks.schemas import (
    Callback,
    CallbackForStaff,
    CallbackOutcome,
    CallbackStatus,
    NewCallback,
    Slot,
)
from chat_service.callbacks.slots import desk_hours, slots
from chat_service.problems import problems
from rihla.auth import Person, Principal, require_roles
from rihla.web import InvalidCursor, Page, PageParams, container, encode_cursor, problem_responses

router = APIRouter(prefix="/v1/support", tags=["support"])
admin_router = APIRouter(prefix="/v1/admin/support/callbacks", tags=["support"])
C = Annotated[Any, Depends(container)]
Staff = Annotated[Principal, Depends(require_roles("support", "admin"))]
_STAFF = ("unauthenticated", "forbidden", "validation-failed")


@router.get(
    "/callback-slots", responses=problem_responses("unauthenticated", table=problems), summary="When we can call you"
)
async def list_callback_slots(c: C, _: Person) -> Page[Slot]:
    """The coming seven days; full ones are left out."""
    now, places = c.clock.now(), c.settings.callbacks_per_slot
    async with c.db.transaction() as session:
        taken = await store.count_taken(session, now)
    offered = slots(now, desk_hours(c.settings.callback_hours_utc))
    free = [Slot(slot_at=slot, free=places - taken.get(slot, 0)) for slot in offered]
    return Page[Slot](items=[slot for slot in free if slot.free > 0])


@router.post(
    "/callbacks",
    status_code=201,
    responses=problem_responses(
        "unauthenticated",
        "account-suspended",
        "slot-not-offered",
        "slot-full",
        "callback-pending",
        "validation-failed",
        table=problems,
    ),
    summary="Ask to be called",
)
async def ask_for_callback(body: NewCallback, c: C, who: Person) -> Callback:
    """One at a time."""
    hours = desk_hours(c.settings.callback_hours_utc)
    places = c.settings.callbacks_per_slot
    row = await request_callback(c.db, c.clock, who.user_id, body, hours=hours, places=places)
    return Callback.model_validate(dict(row))


@router.get("/callbacks", responses=problem_responses("unauthenticated", table=problems), summary="List your callbacks")
async def list_my_callbacks(c: C, who: Person) -> Page[Callback]:
    """The fifty latest."""
    async with c.db.transaction() as session:
        rows = await store.list_of(session, who.user_id)
    return Page[Callback](items=[Callback.model_validate(dict(row)) for row in rows])


@router.post(
    "/callbacks/{callback_id}/cancel",
    responses=problem_responses(
        "unauthenticated", "callback-not-found", "callback-state-conflict", "validation-failed", table=problems
    ),
    summary="Cancel a callback",
)
async def cancel_my_callback(callback_id: UUID, c: C, who: Person) -> Callback:
    """Its place is free for somebody else."""
    return Callback.model_validate(dict(await cancel_callback(c.db, c.clock, who.user_id, callback_id)))


@admin_router.get(
    "", responses=problem_responses(*_STAFF, "invalid-cursor", table=problems), summary="The queue of callbacks"
)
async def list_callback_queue(
    c: C,
    _: Staff,
    page: PageParams,
    status: Annotated[CallbackStatus | None, Query()] = None,
    language: Annotated[str | None, Query(max_length=35)] = None,
) -> Page[CallbackForStaff]:
    """The soonest first."""
    async with c.db.transaction() as session:
        rows = await store.queue(
            session, status=status, language=language, after=_after(page.cursor), limit=page.limit + 1
        )
    shown = rows[: page.limit]
    following = None
    if len(rows) > page.limit:
        following = encode_cursor({"at": shown[-1]["slot_at"].isoformat(), "id": str(shown[-1]["id"])})
    items = [CallbackForStaff.model_validate(dict(row)) for row in shown]
    return Page[CallbackForStaff](items=items, next_cursor=following)


@admin_router.post(
    "/{callback_id}/claim",
    responses=problem_responses(*_STAFF, "callback-not-found", "callback-state-conflict", table=problems),
    summary="Claim a callback",
)
async def claim_one_callback(callback_id: UUID, c: C, who: Staff) -> CallbackForStaff:
    """You will call; claiming your own again changes nothing."""
    return CallbackForStaff.model_validate(dict(await claim_callback(c.db, c.clock, who.user_id, callback_id)))


@admin_router.post(
    "/{callback_id}/outcome",
    responses=problem_responses(*_STAFF, "callback-not-found", "callback-state-conflict", table=problems),
    summary="Say how a call went",
)
async def settle_one_callback(callback_id: UUID, body: CallbackOutcome, c: C, who: Staff) -> CallbackForStaff:
    """Done, or nobody answered."""
    row = await settle_callback(c.db, c.clock, who.user_id, callback_id, body)
    return CallbackForStaff.model_validate(dict(row))


def _after(cursor: dict[str, Any] | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        at = datetime.fromisoformat(cursor["at"])
        if at.tzinfo is None:
            raise ValueError("no offset")
        return at, UUID(cursor["id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
