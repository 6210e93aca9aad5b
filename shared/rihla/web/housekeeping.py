"""A worker loop that drops what has served its time: inbox rows after 14 days, idempotency keys after 24 hours."""

import asyncio
from datetime import timedelta

from rihla.db.database import Database
from rihla.db.idempotency import forget_keys
from rihla.db.inbox import forget_before
from rihla.kernel import Clock
from rihla.web.loops import pause_or_stop

INBOX_KEPT = timedelta(days=14)
"""The broker redelivers for hours, an operator moves a dead letter back after days."""
_EVERY_SECONDS = 300.0
_BATCH = 5_000


class Housekeeping:
    """`run` is a worker loop; `tidy` drops what is old now. A service names which of the two tables it has."""

    name = "housekeeping"

    def __init__(self, db: Database, clock: Clock, *, inbox: bool = True, keys: bool = True) -> None:
        self._db = db
        self._clock = clock
        self._inbox = inbox
        self._keys = keys

    async def run(self, stop: asyncio.Event) -> None:
        """Tidy every few minutes until `stop`."""
        while not stop.is_set():
            await self.tidy()
            await pause_or_stop(stop, _EVERY_SECONDS)

    async def tidy(self) -> int:
        """Drop everything that is old, in short transactions; how many rows went."""
        total = 0
        while went := await self._batch():
            total += went
        return total

    async def _batch(self) -> int:
        now, went = self._clock.now(), 0
        async with self._db.transaction() as session:
            if self._inbox:
                went += await forget_before(session, instant=now - INBOX_KEPT, most=_BATCH)
            if self._keys:
                went += await forget_keys(session, now=now, most=_BATCH)
        return went
