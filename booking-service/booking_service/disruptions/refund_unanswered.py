"""No answer in time means a full refund of everything that is not flown."""

import asyncio

from sqlalchemy import text

from booking_service.bookings.read_booking import lock_booking
from booking_service.bookings.states import BookingState
from booking_service.bootstrap import Container
from booking_service.cancelling.cancel_booking import Decided, apply_cancellation
from booking_service.cancelling.errors import AlreadyDeparted, NothingToCancel
from booking_service.cancelling.quote_cancellation import work_out
from booking_service.cancelling.scope import Scope
from rihla.kernel import new_id
from rihla.telemetry import Counter
from rihla.web.loops import pause_or_stop

REFUNDED = Counter("rihla_booking_disruptions_refunded_total", "Disruptions nobody answered in time")
_DUE = text(
    "SELECT id, booking_id FROM disruption WHERE state = 'open' AND answer_by <= :now ORDER BY answer_by "
    "LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_CLOSE = text("UPDATE disruption SET state = 'refunded', answered_at = :now WHERE booking_id = :id AND state = 'open'")


class DisruptionSweeper:
    """`run` is a worker loop; `refund_due` answers for those who did not. One booking a transaction."""

    name = "disruption-sweeper"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`."""
        while not stop.is_set():
            if await self.refund_due() == 0:
                await pause_or_stop(stop, max(1.0, self._c.settings.sweep_every_seconds))

    async def refund_due(self) -> int:
        """Refund every booking whose time to answer is over; how many."""
        count = 0
        while await self._one():
            count += 1
        REFUNDED.inc(count)
        return count

    async def _one(self) -> bool:
        now = self._c.clock.now()
        async with self._c.db.transaction() as session:
            due = (await session.execute(_DUE, {"now": now})).one_or_none()
            if due is None:
                return False
            view = await lock_booking(session, due.booking_id)
            if view is not None and view.state is BookingState.DISRUPTED:
                try:
                    quoted = work_out(view, Scope(whole=True), now=now, involuntary=True)
                except (NothingToCancel, AlreadyDeparted):
                    quoted = None
                if quoted is not None:
                    decided = Decided(
                        coupon_ids=frozenset(coupon.id for coupon in quoted.coupons),
                        by_charge=quoted.money.by_charge,
                        whole=quoted.whole,
                        involuntary=True,
                        quote_id=None,
                        reason="disruption",
                        actor="system",
                    )
                    await apply_cancellation(session, view, decided, new_id(), now=now)
            await session.execute(_CLOSE, {"id": due.booking_id, "now": now})
        return True
