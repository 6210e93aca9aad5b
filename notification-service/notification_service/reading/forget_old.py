"""The sweeper: trips long flown, notices long read, codes long expired, webhooks long sent."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.codes.tables import code_request
from notification_service.partner_webhooks.tables import webhook_event
from notification_service.telling.tables import notice
from notification_service.trips.tables import flight_news, trip, trip_document
from rihla.db import Database
from rihla.db.inbox import forget_before
from rihla.kernel import Clock
from rihla.web.loops import pause_or_stop

_EVERY_SECONDS = 600.0
_BATCH = 1000
_CODES_KEPT = timedelta(days=1)
_INBOX_KEPT = timedelta(days=14)
_WEBHOOKS_KEPT = timedelta(days=30)


class Forgetter:
    """`run` is a worker loop; `forget` deletes what is old, a batch of each table at a time."""

    name = "forgetter"

    def __init__(self, db: Database, *, clock: Clock, trip_days: int, notice_days: int) -> None:
        self._db = db
        self._clock = clock
        self._trips_kept = timedelta(days=trip_days)
        self._notices_kept = timedelta(days=notice_days)

    async def run(self, stop: asyncio.Event) -> None:
        """Forget, rest."""
        while not stop.is_set():
            await self.forget()
            await pause_or_stop(stop, _EVERY_SECONDS)

    async def forget(self) -> None:
        """One batch of each."""
        now = self._clock.now()
        async with self._db.transaction() as session:
            await forget_before(session, instant=now - _INBOX_KEPT)
            await session.execute(delete(code_request).where(code_request.c.received_at < now - _CODES_KEPT))
            for table, key, age, kept in (
                (trip, trip.c.booking_id, trip.c.ends_at, self._trips_kept),
                (trip_document, trip_document.c.id, trip_document.c.received_at, self._trips_kept),
                (flight_news, flight_news.c.flight_id, flight_news.c.departs_at, self._trips_kept),
                (webhook_event, webhook_event.c.id, webhook_event.c.created_at, _WEBHOOKS_KEPT),
                (notice, notice.c.id, notice.c.created_at, self._notices_kept),
            ):
                await _forget_batch(session, table, key, age, now - kept)


async def _forget_batch(session: AsyncSession, table: Any, key: Any, age: Any, before: datetime) -> None:
    old = select(key).where(age < before).limit(_BATCH)
    await session.execute(delete(table).where(key.in_(old)))
