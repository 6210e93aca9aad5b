"""Confirm a plan that is paid: sell every hold, then make every booking a ticket in one transaction, or none.

A crash between leaves the plan in `confirming`; a repeat or the sweeper sells the same holds again, harmlessly.
"""

import asyncio
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.hold import Hold
from booking_service.bookings.read_booking import load_booking, lock_booking
from booking_service.bookings.states import BookingState
from booking_service.bookings.store import add_errand, add_timeline, set_step
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from booking_service.seat_plans import store
from booking_service.seat_plans.errors import SeatPlanExpired, SeatPlanReleased, SeatPlanUnknown
from booking_service.seat_plans.plan import PlanState
from booking_service.seat_plans.store import Row
from booking_service.settling.confirm_booking import GONE, ReleaseUnderWay, mark_confirmed, release_first, sell
from booking_service.settling.expire_bookings import void_unpaid
from rihla.db.idempotency import RequestInProgress
from rihla.http import UpstreamUnavailable

_LOOK_EVERY_SECONDS = 0.1
_PATIENCE_SECONDS = 5.0
_PENDING, _EXPIRED = str(BookingState.PENDING_PAYMENT), str(BookingState.EXPIRED)
_CONFIRMING = text(
    "UPDATE booking SET step = 'confirming' WHERE seat_plan_id = :id AND state IN ('pending_payment', 'expired')"
)


async def confirm_plan(c: Container, plan_id: UUID) -> None:
    """All bookings of the plan become confirmed; a plan that is confirmed stays as it is.

    Raises SeatPlanUnknown, SeatPlanReleased, SeatPlanExpired (the seats are somebody else's), RequestInProgress (a twin
    is at it and takes long) and UpstreamUnavailable (it goes on by itself; repeat it to hear the end).
    """
    for _ in range(int(_PATIENCE_SECONDS / _LOOK_EVERY_SECONDS)):
        async with c.db.transaction() as session:
            row, ours = await _begin(session, c, plan_id)
        if ours:
            await _drive(c, row)
            return
        if row.state is PlanState.CONFIRMED:
            return
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    raise RequestInProgress("The plan is being confirmed; ask again shortly.")


async def _begin(session: AsyncSession, c: Container, plan_id: UUID) -> tuple[Row, bool]:
    """The first transaction. The plan's row, and whether it is for this call to drive."""
    now = c.clock.now()
    row = await store.lock(session, plan_id)
    if row is None or row.state in (PlanState.RESERVING, PlanState.REFUSED):
        raise SeatPlanUnknown("No seats are reserved under this id.")
    if row.state is PlanState.RELEASED:
        raise SeatPlanReleased("This plan was released.")
    if row.state is PlanState.CONFIRMED or (row.state is PlanState.CONFIRMING and row.driven(now)):
        return row, False
    if row.state is not PlanState.CONFIRMING:
        await session.execute(_CONFIRMING, {"id": plan_id})
    return await store.take(session, plan_id, PlanState.CONFIRMING, now=now), True


async def _drive(c: Container, row: Row) -> None:
    try:
        await drive_confirming(c, row)
    except UpstreamUnavailable:
        async with c.db.transaction() as session:
            await store.step_back(session, row, now=c.clock.now())
        raise


async def drive_confirming(c: Container, row: Row) -> None:
    """Sell and store, whoever began it. Raises SeatPlanExpired, RequestInProgress and UpstreamUnavailable."""
    async with c.db.transaction() as session:
        ids = await store.bookings_of(session, row.id, _PENDING, _EXPIRED)
        views = [view for one in ids if (view := await load_booking(session, one)) is not None]
    try:
        holds = [await _sell(c, view) for view in views]
    except GONE as gone:
        if not await _cannot_honour(c, row):
            raise _taken_over() from gone
        raise SeatPlanExpired("The seats were given to others after the window to pay.") from gone
    await _store_confirmed(c, row, {view.id: hold for view, hold in zip(views, holds, strict=True)})


async def _sell(c: Container, view: BookingView) -> Hold:
    late = view.state is BookingState.EXPIRED
    if late:
        try:
            await release_first(c, view.id)
        except ReleaseUnderWay as waiting:
            raise UpstreamUnavailable("The seats are just being given back; try again.", upstream="flight") from waiting
    return await sell(c, view, late=late)


async def _store_confirmed(c: Container, row: Row, holds: dict[UUID, Hold]) -> None:
    now = c.clock.now()
    async with c.db.transaction() as session:
        if not await store.end(session, row, PlanState.CONFIRMED):
            raise _taken_over()
        for booking_id, hold in sorted(holds.items()):
            view = await lock_booking(session, booking_id)
            assert view is not None, "a booking of a plan is never deleted"
            await mark_confirmed(session, view, hold, late=view.state is BookingState.EXPIRED, now=now, papers_due=now)


async def _cannot_honour(c: Container, row: Row) -> bool:
    """A seat is gone, so all are given back. False when another process has taken the plan over."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        if not await store.end(session, row, PlanState.EXPIRED):
            return False
        for booking_id in await store.bookings_of(session, row.id, _PENDING, _EXPIRED):
            view = await lock_booking(session, booking_id)
            assert view is not None, "a booking of a plan is never deleted"
            if view.state is BookingState.EXPIRED:
                await set_step(session, view.id, None)
                await add_errand(session, view.id, "release_hold", now=now, hold_id=view.hold_id)
            else:
                await void_unpaid(session, view, BookingState.EXPIRED, now=now)
            await add_timeline(session, view.id, "seat_plan_expired", actor="system", now=now, seat_plan_id=row.id)
    return True


def _taken_over() -> RequestInProgress:
    return RequestInProgress("Another process has taken this plan over; ask again shortly.")
