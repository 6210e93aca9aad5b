"""Finish seat plans whose process stopped, and end those nobody paid for in time."""

import asyncio
from datetime import timedelta

from booking_service.bookings.read_booking import lock_booking
from booking_service.bookings.states import BookingState
from booking_service.bookings.store import add_timeline
from booking_service.bootstrap import Container
from booking_service.seat_plans import store
from booking_service.seat_plans.confirm_plan import drive_confirming
from booking_service.seat_plans.drive_plan import drive, give_up
from booking_service.seat_plans.plan import PlanState
from booking_service.seat_plans.store import Row
from booking_service.settling.expire_bookings import void_unpaid
from rihla.db.idempotency import RequestInProgress
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError
from rihla.telemetry import Counter, get_logger
from rihla.web.loops import pause_or_stop

SWEPT = Counter("rihla_seat_plans_swept_total", "Seat plans taken over or ended, by how", ["outcome"])
log = get_logger("sweep_plans")
_BATCH = 5


class SeatPlanSweeper:
    """`run` is a worker loop; `sweep` takes what is stalled or over now. Any number of workers may run."""

    name = "seat-plan-sweeper"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`."""
        while not stop.is_set():
            if await self.sweep() == 0:
                await pause_or_stop(stop, self._c.settings.sweep_every_seconds)

    async def sweep(self) -> int:
        """Take over a batch of stalled plans and expire a batch of unpaid ones; how many there were."""
        async with self._c.db.transaction() as session:
            found = await store.stalled(session, now=self._c.clock.now(), limit=_BATCH)
        for row in found:
            outcome = await self._finish(row)
            SWEPT.labels(outcome).inc()
        return len(found) + await self._expire()

    async def _finish(self, row: Row) -> str:
        try:
            if row.state is PlanState.CONFIRMING:
                await drive_confirming(self._c, row)
            else:
                await drive(self._c, row)
        except RequestInProgress:
            return "taken_over"
        except UpstreamUnavailable:
            return await self._wait(row)
        except DomainError as refusal:
            log.info("seat_plan_refused", seat_plan_id=str(row.id), refusal=type(refusal).__name__)
            return "refused"
        return "finished"

    async def _wait(self, row: Row) -> str:
        """A paid plan is driven on until it is answered; one that is not is given up, and payment asks anew."""
        patience = timedelta(seconds=self._c.settings.placing_patience_seconds)
        if row.state is PlanState.CONFIRMING or self._c.clock.now() < row.begun_at + patience:
            return "waiting"
        await give_up(self._c, row)
        return "released"

    async def _expire(self) -> int:
        """End whole plans in one transaction. Nobody is told: nobody was told of their rides."""
        now = self._c.clock.now()
        async with self._c.db.transaction() as session:
            over = await store.due(session, now=now, limit=_BATCH)
            for plan_id in over:
                row = await store.read(session, plan_id)
                assert row is not None
                await store.end(session, row, PlanState.EXPIRED)
                for booking_id in await store.bookings_of(session, plan_id, str(BookingState.PENDING_PAYMENT)):
                    view = await lock_booking(session, booking_id)
                    assert view is not None
                    await void_unpaid(session, view, BookingState.EXPIRED, now=now)
                    await add_timeline(session, booking_id, "expired", actor="system", now=now)
        SWEPT.labels("expired").inc(len(over))
        return len(over)
