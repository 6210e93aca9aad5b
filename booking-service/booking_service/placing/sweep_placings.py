"""Finish placings whose process stopped: drive them on with the same ids, or release what they held and end them."""

import asyncio
from datetime import timedelta

from booking_service.bookings.errors import HoldLost
from booking_service.bootstrap import Container
from booking_service.placing import store
from booking_service.placing.compose import Placing
from booking_service.placing.drive_placing import drive, give_up
from rihla.db.idempotency import RequestInProgress
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError
from rihla.telemetry import Counter, get_logger
from rihla.web.loops import pause_or_stop

SWEPT = Counter("rihla_booking_placings_swept_total", "Stalled placings by how they ended", ["outcome"])
log = get_logger("sweep_placings")
_BATCH = 20


class PlacingSweeper:
    """`run` is a worker loop; `sweep` takes what is stalled now. Any number of workers may run."""

    name = "placing-sweeper"

    def __init__(self, c: Container) -> None:
        self._c = c

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop`."""
        while not stop.is_set():
            if await self.sweep() == 0:
                await pause_or_stop(stop, self._c.settings.sweep_every_seconds)

    async def sweep(self) -> int:
        """Take over a batch of stalled placings; how many there were."""
        c = self._c
        async with c.db.transaction() as session:
            found = await store.stalled(session, now=c.clock.now(), lease=c.settings.placing_lease, limit=_BATCH)
        for outcome in await asyncio.gather(*(self._finish(placing) for placing in found)):
            SWEPT.labels(outcome).inc()
        return len(found)

    async def _finish(self, placing: Placing) -> str:
        patience = timedelta(seconds=self._c.settings.placing_patience_seconds)
        try:
            await drive(self._c, placing, None)
        except RequestInProgress:
            return "taken_over"
        except UpstreamUnavailable as outage:
            if self._c.clock.now() < placing.created_at + patience:
                return "waiting"
            await give_up(self._c, placing, outage, None)
            return "released"
        except HoldLost as lost:
            await give_up(self._c, placing, lost, None)
            return "released"
        except DomainError as refusal:
            log.info("placing_refused", booking_id=str(placing.booking_id), refusal=type(refusal).__name__)
            await give_up(self._c, placing, refusal, None)
            return "refused"
        return "placed"
