"""Keep the timetable equal to the database.

Every change of a flight, a cabin's seats or reference data writes a row to `timetable_change` in its own transaction
(by trigger). A poll reads the rows of transactions that had not all ended at the poll before: `horizon` is the oldest
transaction id still running then, so that a change that commits late, with a lower position, is not missed.

Searches ask for `fresh()`: they join the next poll, one for all that wait, so that free seats are those committed
before the search began. With the database away, what is known serves for `staleness` seconds, then `TimetableStale` is
raised.
"""

import asyncio
import gc
import time
from datetime import timedelta
from typing import Any

import asyncpg

from flight_service.search.reference import Connection, Reference, load_reference
from flight_service.search.timetable import Timetable
from rihla.kernel import Clock, DomainError
from rihla.telemetry import Gauge, get_logger
from rihla.web.loops import pause_or_stop
from rihla.web.outages import is_outage

log = get_logger("timetable")
FLIGHTS = Gauge("rihla_timetable_flights", "Flights in the timetable in memory")
AGE = Gauge("rihla_timetable_poll_age_seconds", "Seconds between the last two polls of the timetable")

_FLIGHT_COLUMNS = """
f.no, f.id, f.flight_number, f.airline, f.origin, f.destination, f.departure_offset, f.arrival_offset, f.aircraft,
f.status, f.terminal, f.gate, f.delay_minutes, f.base_fares, f.offer_version,
(extract(epoch FROM f.departure_at)::bigint / 60)::int AS departure,
(extract(epoch FROM f.arrival_at)::bigint / 60)::int AS arrival,
"""
_LOAD = f"""
SELECT {_FLIGHT_COLUMNS} i.cabins, i.free, i.capacities
FROM flight f LEFT JOIN (
    SELECT c.flight_id, array_agg(c.cabin) AS cabins, array_agg(c.free_seats) AS free,
        array_agg(c.capacity) AS capacities
    FROM cabin_inventory c GROUP BY c.flight_id
) i ON i.flight_id = f.id
WHERE f.departure_at >= $1 ORDER BY f.origin, f.destination, f.departure_at
"""
_CHANGED = f"""
SELECT {_FLIGHT_COLUMNS} i.cabins, i.free, i.capacities
FROM flight f LEFT JOIN LATERAL (
    SELECT array_agg(c.cabin) AS cabins, array_agg(c.free_seats) AS free, array_agg(c.capacity) AS capacities
    FROM cabin_inventory c WHERE c.flight_id = f.id
) i ON true
WHERE f.id = ANY ($1::uuid[])
"""
_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_POLL = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, count(*) AS changes,
    array_agg(DISTINCT flight_id) FILTER (WHERE kind = 'f') AS flights,
    array_agg(DISTINCT flight_no) FILTER (WHERE flight_no IS NOT NULL) AS numbers,
    coalesce(bool_or(kind = 'r'), false) AS reference, coalesce(sum(position), 0)::text AS positions
FROM timetable_change WHERE transaction_id >= $1::bigint::text::xid8
"""
_LOAD_SECONDS = 120
_KEPT = timedelta(hours=12)
_RELOAD_AFTER_SECONDS = 300
_IDLE_POLL_SECONDS = 0.5


class TimetableStale(DomainError):
    """The database has been out of reach for longer than the timetable may be trusted."""


class TimetableFeed:
    """Owns the timetable and the reference data of a process."""

    name = "timetable"

    def __init__(self, pool: "asyncpg.Pool[Any]", clock: Clock, *, staleness: timedelta) -> None:
        self._pool = pool
        self._clock = clock
        self._staleness = staleness.total_seconds()
        self._horizon = 0
        self._seen: tuple[str, int] = ("0", 0)
        self._polled_at = 0.0
        self._waiting: asyncio.Future[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self.timetable = Timetable()
        self.reference: Reference

    async def load(self) -> None:
        """Read everything in one snapshot. Until this has returned the process is not ready."""
        started = time.monotonic()
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            # A million flights are sorted before the first comes: the bound of ordinary statements is too short.
            await connection.execute(f"SET LOCAL statement_timeout = '{_LOAD_SECONDS}s'")
            horizon = await connection.fetchval(_HORIZON)
            reference = await load_reference(connection, self._clock.now())
            timetable = Timetable()
            statement = await connection.prepare(_LOAD)
            async for row in statement.cursor(self._clock.now() - _KEPT, prefetch=2_000, timeout=_LOAD_SECONDS):
                timetable.apply(row, test_only=reference.airlines[row["airline"]].test_only)
        timetable.settle()
        self.reference, self.timetable, self._horizon, self._seen = reference, timetable, horizon, ("0", 0)
        self._polled_at = time.monotonic()
        # A million flights are never garbage: without this every full collection would walk through them.
        gc.collect()
        gc.freeze()
        FLIGHTS.set(len(timetable))
        log.info("timetable_loaded", flights=len(timetable), seconds=round(time.monotonic() - started, 2))

    async def fresh(self) -> None:
        """Return once everything committed before this call is in the timetable. Raises TimetableStale."""
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
            if self._pump is None or self._pump.done():
                self._pump = asyncio.create_task(self._poll_while_asked())
        try:
            await asyncio.shield(self._waiting)
        except Exception as error:
            if not is_outage(error):
                raise
            if time.monotonic() - self._polled_at > self._staleness:
                raise TimetableStale("Flights cannot be looked up just now; try again in a moment.") from error

    async def run(self, stop: asyncio.Event) -> None:
        """Poll also when nobody searches, so that the first search after a quiet hour is as quick as any."""
        while not stop.is_set():
            await pause_or_stop(stop, _IDLE_POLL_SECONDS)
            if not stop.is_set():
                await self.fresh()

    async def check(self) -> None:
        """Raise unless the timetable is loaded and within its bound of staleness."""
        if not len(self.timetable) and not self._polled_at:
            raise TimetableStale("The timetable is being loaded.")
        if time.monotonic() - self._polled_at > self._staleness:
            raise TimetableStale("The timetable is older than its bound.")

    async def close(self) -> None:
        """Let a running poll end."""
        if self._pump is not None:
            await asyncio.gather(self._pump, return_exceptions=True)

    async def _poll_while_asked(self) -> None:
        while (asked := self._waiting) is not None:
            self._waiting = None
            try:
                await self._poll()
            except Exception as error:
                asked.set_exception(error)
                asked.exception()  # nobody may be waiting any more
            else:
                asked.set_result(None)

    async def _poll(self) -> None:
        if time.monotonic() - self._polled_at > _RELOAD_AFTER_SECONDS:
            # The feed keeps ten minutes: after a long outage some of it may be gone.
            await self.load()
            return
        started = time.monotonic()
        async with self._pool.acquire() as connection:
            poll: Any = await connection.fetchrow(_POLL, self._horizon)
            # A transaction still running keeps its neighbours' rows in view: the same rows again mean nothing new.
            seen = (poll["positions"], poll["changes"])
            if poll["changes"] and (seen != self._seen or poll["horizon"] != self._horizon):
                await self._take(connection, poll)
        self._horizon, self._seen = poll["horizon"], seen
        AGE.set(started - self._polled_at)
        self._polled_at = started

    async def _take(self, connection: Connection, poll: Any) -> None:
        if poll["reference"]:
            self.reference = await load_reference(connection, self._clock.now())
        if not poll["flights"]:
            return
        rows = await connection.fetch(_CHANGED, poll["flights"])
        airlines = self.reference.airlines
        for row in rows:
            self.timetable.apply(row, test_only=airlines[row["airline"]].test_only)
        present = {row["no"] for row in rows}
        for no in poll["numbers"] or ():
            if no not in present:
                self.timetable.remove(no)
        self.timetable.settle()
        FLIGHTS.set(len(self.timetable))
