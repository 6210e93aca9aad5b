"""Release a plan: payment failed, or the subscription was paused or cancelled. One transaction; errands free seats."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.read_booking import lock_booking
from booking_service.bookings.states import TRAVELLING, BookingState
from booking_service.bookings.store import add_errand, add_timeline
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from booking_service.cancelling.cancel_booking import Decided, apply_cancellation
from booking_service.seat_plans import store
from booking_service.seat_plans.plan import PlanState
from booking_service.seat_plans.store import Row
from booking_service.settling.expire_bookings import void_unpaid
from rihla.kernel import new_id

_ALIVE = [str(state) for state in (BookingState.PENDING_PAYMENT, *TRAVELLING)]


async def release_plan(c: Container, plan_id: UUID) -> None:
    """Free what is not yet flown. An unknown id leaves a tombstone; a second release changes nothing."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        if await store.bury(session, plan_id, now=now):
            return
        row = await store.lock(session, plan_id)
        assert row is not None
        if row.state is PlanState.RELEASED:
            return
        await store.end(session, row, PlanState.RELEASED)
        for booking_id, hold_id in await store.refuse_bookings(session, plan_id):
            await add_errand(session, booking_id, "release_hold", now=now, hold_id=hold_id)
        for booking_id in await store.bookings_of(session, plan_id, *_ALIVE):
            await _give_back(session, row, booking_id, now=now)
        await _drop_late_holds(session, row, now=now)


async def _give_back(session: AsyncSession, row: Row, booking_id: UUID, *, now: datetime) -> None:
    view = await lock_booking(session, booking_id)
    assert view is not None, "a booking of a plan is never deleted"
    if view.state is BookingState.PENDING_PAYMENT:
        await void_unpaid(session, view, BookingState.CANCELLED, now=now)
        await add_timeline(session, view.id, "cancelled", actor="payment", now=now, seat_plan_id=row.id)
    elif view.state in TRAVELLING:
        await _cancel_unflown(session, view, now=now)


async def _cancel_unflown(session: AsyncSession, view: BookingView, *, now: datetime) -> None:
    """payment-service knows that it took the rides back, so it is not told of them."""
    ahead = {segment.flight_id for segment in view.segments if segment.departure_at > now}
    coupons = frozenset(one.id for one in view.coupons if one.live and one.flight_id in ahead)
    if not coupons:
        return
    decided = Decided(
        coupon_ids=coupons,
        by_charge={},
        whole=len(coupons) == len(view.coupons),
        involuntary=False,
        quote_id=None,
        reason="cancellation",
        actor="payment",
        tell_plan=False,
    )
    await apply_cancellation(session, view, decided, new_id(), now=now)


async def _drop_late_holds(session: AsyncSession, row: Row, *, now: datetime) -> None:
    """A confirmation after expiry may have taken holds again, which its booking does not show yet."""
    if row.state is not PlanState.CONFIRMING:
        return
    for booking_id in await store.bookings_of(session, row.id, str(BookingState.EXPIRED)):
        view = await lock_booking(session, booking_id)
        assert view is not None, "a booking of a plan is never deleted"
        await add_errand(session, booking_id, "release_hold", now=now, hold_id=view.hold_id)
