"""The worker loop that sends: claim (committed), hand over, record (committed).

A worker that dies in between leaves a lease; its deliveries are sent again under the same Message-ID, so that a mailbox
shows them once. A lease outlasts every hand-over that was begun: what could not be begun in time is given back.
"""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from notification_service.channels.outgoing import AddressGone, Refused, Sender, TryLater
from notification_service.delivering import store
from notification_service.delivering.compose import Composer
from notification_service.delivering.store import LEASE, Due
from notification_service.devices.store import forget_token
from notification_service.preferences.rules import Channel
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import Counter, Histogram, get_logger

OUTCOMES = Counter("rihla_deliveries_total", "Deliveries by outcome", ["channel", "outcome"])
LATENCY = Histogram(
    "rihla_delivery_seconds", "From the notice to the provider's yes", buckets=(0.1, 0.5, 1, 3, 10, 30, 60, 300, 3600)
)
log = get_logger("deliveries")

_BATCH = 64
_IDLE_SECONDS = 0.2
_GATHER_SECONDS = 0.05
"""Between two claims, unless a whole batch was there: what falls due meanwhile shares the next one."""
_LONGEST_PAUSE_SECONDS = 300
# With pauses of five minutes this is about a day.
_MOST_ATTEMPTS = 300


def pause_before_retry(attempts: int) -> timedelta:
    """1 s, 2 s, 4 s, ... at the most five minutes, each a little random so that a returning server is not flooded."""
    seconds = min(2.0 ** min(attempts - 1, 12), _LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))


class DeliverySender:
    """`run` is a worker loop; `send_due` sends one batch and returns its size; `nudge` ends an idle pause."""

    name = "delivery-sender"

    def __init__(
        self,
        db: Database,
        composer: Composer,
        senders: Mapping[str, Sender],
        *,
        clock: Clock,
        longest_send_seconds: float,
        parallel: int = 8,
    ) -> None:
        self._db = db
        self._composer = composer
        self._senders = senders
        self._clock = clock
        self._last_start = LEASE.total_seconds() - 2.5 * longest_send_seconds
        self._parallel = asyncio.Semaphore(parallel)
        self._wake = asyncio.Event()

    def nudge(self, _: object = None) -> None:
        """Something may be due now."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`."""
        while not stop.is_set():
            self._wake.clear()
            gathered = asyncio.get_running_loop().time() + _GATHER_SECONDS
            if await self.send_due() < _BATCH:
                await self._rest()
                await asyncio.sleep(gathered - asyncio.get_running_loop().time())

    async def send_due(self) -> int:
        """Claim a batch, send it, record the outcomes."""
        async with self._db.transaction() as session:
            batch = await store.claim_due(session, now=self._clock.now(), most=_BATCH)
        if not batch:
            return 0
        started = asyncio.get_running_loop().time()
        outcomes = await asyncio.gather(*(self._send(due, started) for due in batch))
        await self._record(list(zip(batch, outcomes, strict=True)))
        return len(batch)

    async def _send(self, due: Due, started: float) -> str | Exception:
        """The provider's id, or why it did not work."""
        async with self._parallel:
            if asyncio.get_running_loop().time() - started > self._last_start:
                return TryLater("the batch took too long")
            try:
                message = await self._composer.compose(due)
                return await self._senders[due.channel].send(message)
            except (TryLater, Refused) as error:
                return error
            except Exception as error:
                # One notice that cannot be rendered must not hold up the others; it stays visible with its error.
                log.error("delivery_failed", delivery_id=str(due.id), kind=due.kind, exc_info=error)
                return TryLater(f"{type(error).__name__} while composing")

    async def _record(self, outcomes: list[tuple[Due, str | Exception]]) -> None:
        now = self._clock.now()
        sent = [(due, outcome) for due, outcome in outcomes if isinstance(outcome, str)]
        async with self._db.transaction() as session:
            if sent:
                await store.settle_sent(session, sent, now)
            for due, outcome in outcomes:
                if isinstance(outcome, Exception):
                    state, due_at = _next(due, outcome, now)
                    await store.put_back(session, due, state=state, due_at=due_at, error=str(outcome))
                if isinstance(outcome, AddressGone) and due.channel == Channel.PUSH:
                    await forget_token(session, due.address.partition(":")[2])
        for due, outcome in outcomes:
            _measure(due, outcome, now)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return


def _next(due: Due, error: Exception, now: datetime) -> tuple[str, datetime]:
    if isinstance(error, Refused) or due.attempts >= _MOST_ATTEMPTS:
        return "dead", now
    pause = pause_before_retry(due.attempts)
    asked = error.after if isinstance(error, TryLater) else None
    return "queued", now + (max(pause, asked) if asked else pause)


def _measure(due: Due, outcome: str | Exception, now: datetime) -> None:
    if isinstance(outcome, str):
        LATENCY.observe(max((now - due.created_at).total_seconds(), 0))
        OUTCOMES.labels(due.channel, "sent").inc()
        return
    OUTCOMES.labels(due.channel, "refused" if isinstance(outcome, Refused) else "later").inc()
    log.warning("delivery_not_sent", delivery_id=str(due.id), attempts=due.attempts, reason=str(outcome))
