"""Errands: calls to other services that a commit decided on. A worker makes them, again and again until they are
answered.

A commit stores the errand; after it `nudge()` wakes the runner of the same process, so that nobody waits for a poll; a
runner of another process finds what a crash left, when the lease is over.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bootstrap import Container
from rihla.http import UpstreamUnavailable
from rihla.telemetry import Counter, Gauge, get_logger

RUN = Counter("rihla_booking_errands_total", "Errands by kind and outcome", ["kind", "outcome"])
WAITING = Gauge("rihla_booking_errands_waiting", "Errands taken in the last round")
log = get_logger("errands")

LEASE = timedelta(seconds=20)
"""How long the process that took an errand may take to make its call."""
_LONGEST_PAUSE = 60.0
_BATCH = 32
_MOST_BEGUN = 200
"""So few that all end within their lease however slow this process is."""

_TAKE = text(
    "UPDATE errand SET due_at = :lease_until, attempts = attempts + 1 WHERE id IN ("
    "SELECT id FROM errand WHERE due_at <= :now ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED) "
    "RETURNING id, booking_id, kind, payload, attempts"
)
_TAKE_OF_BOOKING = text(
    "UPDATE errand SET due_at = :lease_until, attempts = attempts + 1 WHERE id IN ("
    "SELECT id FROM errand WHERE booking_id = :booking_id AND kind = :kind AND due_at <= :now FOR UPDATE SKIP LOCKED) "
    "RETURNING id, booking_id, kind, payload, attempts"
)
_PUT_BACK = text("UPDATE errand SET due_at = :due_at, last_error = :error WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Errand:
    """One call to make. The handler deletes it in the transaction that stores the outcome."""

    id: UUID
    booking_id: UUID
    kind: str
    payload: dict[str, Any]
    attempts: int

    def uuid(self, name: str) -> UUID:
        """An id in the payload."""
        return UUID(self.payload[name])


Handler = Callable[[Container, Errand], Awaitable[None]]
Decide = Callable[[], Awaitable[tuple[Errand, Handler] | None]]


def _errands(rows: Any) -> list[Errand]:
    return [Errand(row.id, row.booking_id, row.kind, row.payload, row.attempts) for row in rows]


async def take_of_booking(session: AsyncSession, c: Container, booking_id: UUID, kind: str) -> list[Errand]:
    """Take this booking's errands of one kind, to run them in this process now."""
    now = c.clock.now()
    values = {"booking_id": booking_id, "kind": kind, "now": now, "lease_until": now + LEASE}
    return _errands(await session.execute(_TAKE_OF_BOOKING, values))


async def run_errand(c: Container, handler: Handler, errand: Errand) -> None:
    """Run one errand; one that fails is put back with a growing pause and stays visible with its error."""
    try:
        await handler(c, errand)
    except Exception as error:
        pause = min(0.5 * 2 ** min(errand.attempts, 10), _LONGEST_PAUSE) * random.uniform(0.7, 1.3)
        due_at = c.clock.now() + timedelta(seconds=pause)
        async with c.db.transaction() as session:
            await session.execute(_PUT_BACK, {"id": errand.id, "due_at": due_at, "error": repr(error)[:500]})
        RUN.labels(errand.kind, "put_back").inc()
        unexpected = not isinstance(error, UpstreamUnavailable)
        log.warning("errand_put_back", kind=errand.kind, booking_id=str(errand.booking_id), exc_info=unexpected)
    else:
        RUN.labels(errand.kind, "done").inc()


class ErrandRunner:
    """`run` is a worker loop; `nudge` wakes it; `run_due` makes every call that is due now."""

    name = "errands"

    def __init__(self, c: Container, handlers: Mapping[str, Handler], *, at_once: int = _BATCH) -> None:
        self._c = c
        self._handlers = handlers
        self._wake = asyncio.Event()
        self._at_once = at_once
        self._running: set[asyncio.Task[None]] = set()
        self._begun: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_MOST_BEGUN)

    def nudge(self, *_: object) -> None:
        """Something was decided in this process: look now."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Run errands until `stop`; a slow one does not hold up the others."""
        try:
            while not stop.is_set():
                self._wake.clear()
                taken = await self._take(self._at_once - len(self._running))
                for errand in taken:
                    task = self._start(errand, self._handlers[errand.kind], self._running)
                    # One errand may have decided on the next (a payment that cannot be honoured asks for a refund).
                    task.add_done_callback(self.nudge)
                WAITING.set(len(taken))
                if not taken or len(self._running) >= self._at_once:
                    await self._rest()
        finally:
            if under_way := self._running | self._begun:
                await asyncio.wait(under_way, timeout=5)

    async def begin_after(self, decide: Decide) -> bool:
        """Call `decide` once this process has room, and run the errand it leased, besides those `run` takes, without
        waiting for it. False when it decided on none.
        """
        await self._room.acquire()
        begun = None
        try:
            begun = await decide()
        finally:
            if begun is None:
                self._room.release()
        if begun is None:
            return False
        task = self._start(*begun, self._begun)
        task.add_done_callback(lambda _: self._room.release())
        return True

    async def run_due(self) -> int:
        """Make every call that is due, one round after the other; how many were made. Waits for those begun before."""
        total = len(self._begun)
        if self._begun:
            await asyncio.wait(set(self._begun))
        while taken := await self._take(self._at_once):
            await asyncio.gather(*(self._run_one(errand) for errand in taken))
            total += len(taken)
        return total

    def _start(self, errand: Errand, handler: Handler, tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(run_errand(self._c, handler, errand))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def _run_one(self, errand: Errand) -> None:
        await run_errand(self._c, self._handlers[errand.kind], errand)

    async def _take(self, limit: int) -> list[Errand]:
        if limit <= 0:
            return []
        now = self._c.clock.now()
        async with self._c.db.transaction() as session:
            rows = await session.execute(_TAKE, {"now": now, "lease_until": now + LEASE, "limit": limit})
            return _errands(rows)

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(self._c.settings.sweep_every_seconds, 0.25)):
                await self._wake.wait()
