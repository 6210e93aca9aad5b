"""The daily work of schedules, as worker loops: flights ahead are created, past ones archived, the feed is pruned."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from flight_service.schedules.archive_flights import archive_flights
from flight_service.schedules.generate_flights import generate_flights
from flight_service.settings import Settings
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import Counter, get_logger
from rihla.web.loops import pause_or_stop

log = get_logger("schedules")
GENERATED = Counter("rihla_flights_generated_total", "Flights created from schedules")
ARCHIVED = Counter("rihla_flights_archived_total", "Past flights moved to history")
_FEED_KEPT_MINUTES = 10


class KeepAhead:
    """Creates and archives flights. Every step may be repeated and may run on several machines."""

    name = "schedules"

    def __init__(self, db: Database, clock: Clock, settings: Settings, *, rest: float = 4.0) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._rest = rest

    async def run(self, stop: asyncio.Event) -> None:
        """Once at the start, then every `generate_every_minutes`."""
        while not stop.is_set():
            await self.step()
            await pause_or_stop(stop, self._settings.generate_every_minutes * 60)

    async def step(self) -> None:
        """One round."""
        now = self._clock.now()
        made = await generate_flights(self._db, now=now, days_ahead=self._settings.generate_days_ahead, rest=self._rest)
        moved = await archive_flights(self._db, now=now, older_than=timedelta(days=self._settings.archive_after_days))
        GENERATED.inc(made.flights)
        ARCHIVED.inc(moved)
        log.info("schedules_kept_ahead", created=made.flights, archived=moved)

    async def prune(self, stop: asyncio.Event) -> None:
        """Drop rows of the timetable's feed that every process has read long ago."""
        while not stop.is_set():
            async with self._db.transaction() as session:
                await session.execute(
                    text("DELETE FROM timetable_change WHERE at < now() - make_interval(mins => :kept)"),
                    {"kept": _FEED_KEPT_MINUTES},
                )
            await pause_or_stop(stop, 60)
