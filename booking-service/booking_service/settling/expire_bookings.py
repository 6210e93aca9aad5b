"""End bookings whose payment window is over: continuously, by index, on any number of workers."""

import asyncio
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.read_booking import load_booking
from booking_service.bookings.states import BookingState, ChargeState, CouponState
from booking_service.bookings.store import add_errand, add_timeline, publish, set_charge, set_coupons, set_state
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from rihla.telemetry import Counter
from rihla.web.loops import pause_or_stop

EXPIRED = Counter("rihla_bookings_expired_total", "Bookings whose payment window ended")
_BATCH = 25

# `step IS NULL`: a booking whose payment was accepted is being confirmed and does not expire. The rides of a seat plan
# expire together (seat_plans/sweep_plans.py).
_DUE = text(
    "SELECT id FROM booking WHERE state = 'pending_payment' AND step IS NULL AND payment_required_by <= :now "
    "AND seat_plan_id IS NULL "
    "ORDER BY payment_required_by LIMIT :limit FOR UPDATE SKIP LOCKED"
)


class ExpirySweeper:
    """`run` is a worker loop; `expire_due` ends what is over now. Takes several workers (SKIP LOCKED)."""

    name = "expiry-sweeper"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Expire until `stop`."""
        while not stop.is_set():
            if await self.expire_due() == 0:
                await pause_or_stop(stop, self._c.settings.sweep_every_seconds)

    async def expire_due(self) -> int:
        """Expire a batch in one transaction; how many there were. Their holds are released by errands."""
        now = self._c.clock.now()
        async with self._c.db.transaction() as session:
            due = (await session.execute(_DUE, {"now": now, "limit": _BATCH})).scalars().all()
            for booking_id in due:
                view = await load_booking(session, booking_id)
                assert view is not None
                await void_unpaid(session, view, BookingState.EXPIRED, now=now)
                await add_timeline(session, view.id, "expired", actor="system", now=now)
                await publish(session, view.id, lambda seen: facts.expired(seen, now=now), now=now)
        EXPIRED.inc(len(due))
        return len(due)


async def void_unpaid(session: AsyncSession, view: BookingView, to: BookingState, *, now: datetime) -> None:
    """End a booking nobody paid for (`expired` or `cancelled`): nothing is due, nothing is held, no promo code is
    used.
    """
    await set_state(session, view, to, now=now)
    for charge in view.charges:
        if charge.state is ChargeState.DUE:
            await set_charge(session, charge.id, ChargeState.VOID)
    await set_coupons(session, [coupon.id for coupon in view.coupons if coupon.live], CouponState.VOID)
    await add_errand(session, view.id, "release_hold", now=now, hold_id=view.hold_id)
    if view.promo_code:
        await add_errand(session, view.id, "release_promo", now=now)
    if view.subscription_id and view.seat_plan_id is None:
        await add_errand(session, view.id, "release_rides", now=now)
