"""The daily work of schedules, as worker loops: flights ahead are created, past ones archived, prices noted."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, text

from flight_service.fares.default_rules import DEFAULT_RULES
from flight_service.fares.price_history import note_day
from flight_service.fares.rule_set import FareRules, read_rule_set
from flight_service.fares.tables import fare_rule_set
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
        noted = await note_day(self._db, await self._rules(), now)
        GENERATED.inc(made.flights)
        ARCHIVED.inc(moved)
        log.info("schedules_kept_ahead", created=made.flights, archived=moved, prices_noted=noted)

    async def _rules(self) -> FareRules:
        async with self._db.transaction() as session:
            newest = select(fare_rule_set).order_by(fare_rule_set.c.version.desc()).limit(1)
            row = (await session.execute(newest)).mappings().first()
        return read_rule_set(row["version"], row["document"]) if row else read_rule_set(0, DEFAULT_RULES)

    async def prune(self, stop: asyncio.Event) -> None:
        """Drop rows of the timetable's feed that every process has read long ago."""
        while not stop.is_set():
            async with self._db.transaction() as session:
                await session.execute(
                    text("DELETE FROM timetable_change WHERE at < now() - make_interval(mins => :kept)"),
                    {"kept": _FEED_KEPT_MINUTES},
                )
            await pause_or_stop(stop, 60)
