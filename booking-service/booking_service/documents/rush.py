"""Papers stand back in a rush, while bookings are confirmed faster than papers can be made beside them (ADR 0009).

Every process sees the same rush, because it is read off the jobs that were queued, whoever queued them.
"""

import math
from datetime import datetime, timedelta

from sqlalchemy import text

from booking_service.documents.settings import DocumentSettings
from rihla.db import Database
from rihla.kernel import Clock

_WINDOW = timedelta(seconds=2)
_READ_EVERY = timedelta(seconds=0.25)

_NEWEST = text(
    "SELECT count(*) FROM (SELECT cause, created_at FROM document_job ORDER BY id DESC LIMIT :look) newest "
    "WHERE cause = 'confirmed' AND created_at > :since"
)


class Rush:
    """One for each process. The table is looked at four times a second: its newest rows, by primary key."""

    def __init__(self, db: Database, settings: DocumentSettings, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._most = math.ceil(settings.papers_stand_back_per_second * _WINDOW.total_seconds())
        self._patience = timedelta(minutes=settings.papers_stand_back_minutes)
        self._read_at: datetime | None = None
        self._on = False

    async def is_on(self) -> bool:
        """Whether more were confirmed in the last seconds than the setting allows beside their papers."""
        now = self._clock.now()
        if self._most and (self._read_at is None or now - self._read_at >= _READ_EVERY):
            self._read_at = now
            # Other papers may lie between those of the rush; four times as many rows see past them.
            values = {"look": 4 * (self._most + 1), "since": now - _WINDOW}
            async with self._db.transaction() as session:
                self._on = (await session.execute(_NEWEST, values)).scalar_one() > self._most
        return self._on

    async def papers_due(self) -> datetime:
        """When the papers of a booking that is confirmed now must be made, if nobody is idle before. Call it outside
        of a transaction.
        """
        on, now = await self.is_on(), self._clock.now()
        return now + self._patience if on else now


def promised(papers_due: datetime, now: datetime) -> datetime | None:
    """Until when a mail should wait for papers that stand back; None: as usual. Their line may take twice as long
    again.
    """
    return None if papers_due <= now else papers_due + 2 * (papers_due - now)
