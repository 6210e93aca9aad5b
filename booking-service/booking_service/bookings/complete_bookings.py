"""A journey that has ended is completed: its coupons are flown (or were never used), and nothing can be changed any
more.
"""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from booking_service.bookings import facts
from booking_service.bookings.read_booking import load_booking
from booking_service.bookings.states import BookingState, CouponState
from booking_service.bookings.store import add_timeline, publish, set_coupons, set_state
from booking_service.bootstrap import Container
from rihla.telemetry import Counter
from rihla.web.loops import pause_or_stop

COMPLETED = Counter("rihla_bookings_completed_total", "Bookings whose journey has ended")
_BATCH = 25
_EVERY_SECONDS = 5.0
_LATE_ARRIVALS = timedelta(hours=6)
_DUE = text(
    "SELECT id FROM booking WHERE state IN ('confirmed', 'partially_cancelled') AND trip_ends_at <= :ended "
    "ORDER BY trip_ends_at LIMIT :limit FOR UPDATE SKIP LOCKED"
)


class CompletionSweeper:
    """`run` is a worker loop; `complete_due` ends what has ended."""

    name = "completion-sweeper"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Complete until `stop`."""
        while not stop.is_set():
            if await self.complete_due() == 0:
                await pause_or_stop(stop, _EVERY_SECONDS)

    async def complete_due(self) -> int:
        """Complete a batch in one transaction; how many there were. Six hours after arrival, for delays nobody told
        of.
        """
        now = self._c.clock.now()
        async with self._c.db.transaction() as session:
            values = {"ended": now - _LATE_ARRIVALS, "limit": _BATCH}
            due = (await session.execute(_DUE, values)).scalars().all()
            for booking_id in due:
                view = await load_booking(session, booking_id)
                assert view is not None
                flown = [coupon.id for coupon in view.coupons if coupon.state is CouponState.CHECKED_IN]
                await set_coupons(session, flown, CouponState.FLOWN)
                unused = [coupon.id for coupon in view.coupons if coupon.state is CouponState.OPEN]
                await set_coupons(session, unused, CouponState.VOID)
                await set_state(session, view, BookingState.COMPLETED, now=now)
                await add_timeline(session, booking_id, "completed", actor="system", now=now)
                await publish(session, booking_id, lambda seen: facts.completed(seen, now=now), now=now)
        COMPLETED.inc(len(due))
        return len(due)
