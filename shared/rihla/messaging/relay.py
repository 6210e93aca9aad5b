"""The relay: outbox rows to RabbitMQ with publisher confirms, in order for each aggregate, at least once.

Any number of relays may run (`FOR UPDATE SKIP LOCKED`). Rows are deleted once confirmed; one that the broker refuses
stays with its error and holds back later rows of its aggregate. An event that comes alone leaves at once; while they
come close together, those of some milliseconds share a transaction, and those of one type a message (`parcel`).
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
from aio_pika.abc import AbstractChannel, AbstractExchange

from rihla.contracts.events import catalogue
from rihla.contracts.events.subscribers import SUBSCRIBERS
from rihla.db import Database, asyncpg_dsn
from rihla.db.outbox import OUTBOX_CHANNEL
from rihla.kernel import Clock
from rihla.messaging.broker import Broker
from rihla.messaging.parcel import packed
from rihla.telemetry import Counter, Gauge, get_logger
from rihla.tracing import is_tracing, span

PUBLISHED = Counter("rihla_outbox_published_total", "Events published", ["producer"])
DEPTH = Gauge("rihla_outbox_depth", "Rows waiting in the outbox", ["producer"])
AGE = Gauge("rihla_outbox_oldest_seconds", "Age of the oldest row", ["producer"])
log = get_logger("outbox")

_BATCH = 250
_LARGEST_PARCEL = 32
_GATHER_SECONDS = 0.02
"""Between two takes while there is something to take: what comes meanwhile goes together."""
_RUSH = 10
"""So many takes in a row that found something: then the database need not say so (that wakes two processes for each
event), and more is gathered."""
_RUSH_GATHER_SECONDS = 0.05
_POLL_SECONDS = 0.1
_MEASURE_SECONDS = 5.0
_CONFIRM_SECONDS = 10.0
_LONGEST_BACK_OFF = 60

_TAKE = """
SELECT position, id, aggregate_id, type, envelope, attempts FROM outbox AS o
WHERE next_attempt_at <= $1 AND NOT EXISTS (
  SELECT 1 FROM outbox AS e
  WHERE e.aggregate_id = o.aggregate_id AND e.position < o.position AND e.next_attempt_at > $1)
ORDER BY position LIMIT $2 FOR UPDATE OF o SKIP LOCKED
"""


class OutboxRelay:
    """Publishes one producer's outbox. `run` is a worker loop; `drain` moves what is due now and returns how many."""

    def __init__(
        self,
        db: Database,
        broker: Broker,
        *,
        producer: str,
        clock: Clock,
        subscribers: Mapping[str, Sequence[str]] = SUBSCRIBERS,
    ) -> None:
        self._subscribers = subscribers
        self._db = db
        self._broker = broker
        self._producer = producer
        self._clock = clock
        self.name = f"outbox-relay-{producer}"
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`; woken by NOTIFY, with a short poll behind it."""
        channel = await self._broker.channel()
        listener = await asyncpg.connect(asyncpg_dsn(self._db.url), timeout=5)
        try:
            exchange = await self._declare(channel)
            measured, busy, loop = 0.0, _RUSH, asyncio.get_running_loop()
            while not stop.is_set():
                self._wake.clear()
                began = loop.time()
                moved = await self._drain(channel, exchange)
                if began - measured > _MEASURE_SECONDS:
                    await self._measure()
                    measured = began
                if moved:
                    busy += 1
                    if busy == _RUSH:
                        await listener.remove_listener(OUTBOX_CHANNEL, self._woken)
                    if moved < _BATCH:
                        gather = _GATHER_SECONDS if busy < _RUSH else _RUSH_GATHER_SECONDS
                        await asyncio.sleep(began + gather - loop.time())
                elif busy >= _RUSH:
                    # Looked at once more: what was told of while nobody listened.
                    await listener.add_listener(OUTBOX_CHANNEL, self._woken)
                    busy = 0
                else:
                    busy = 0
                    await self._rest()
        finally:
            with contextlib.suppress(Exception):
                await listener.close(timeout=1)
            with contextlib.suppress(Exception):
                await channel.close()

    def _woken(self, *_: object) -> None:
        self._wake.set()

    async def drain(self) -> int:
        """Publish everything that is due; how many events left."""
        channel = await self._broker.channel()
        try:
            exchange = await self._declare(channel)
            total = 0
            while moved := await self._drain(channel, exchange):
                total += moved
            return total
        finally:
            await channel.close()

    async def _declare(self, channel: AbstractChannel) -> AbstractExchange:
        """The exchange, with the queues of those who hear this producer already bound to it."""
        exchange = await self._broker.exchange(channel, self._producer)
        for event_type, event in catalogue().items():
            for service in self._subscribers.get(event_type, ()) if event.producer == self._producer else ():
                queue = await self._broker.queue(channel, service)
                await queue.bind(exchange, event_type)
        return exchange

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await self._wake.wait()

    async def _drain(self, channel: AbstractChannel, exchange: AbstractExchange) -> int:
        if channel.is_closed:
            raise ConnectionError("the channel to RabbitMQ is closed")
        pool = await self._db.asyncpg_pool()
        async with pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_TAKE, self._clock.now(), _BATCH)
            if not rows:
                return 0
            parcels = parcels_of(rows)
            outcomes = await asyncio.gather(*(_publish(exchange, one) for one in parcels), return_exceptions=True)
            await self._settle(connection, parcels, outcomes)
        if channel.is_closed:
            raise ConnectionError("RabbitMQ went away while publishing")
        return sum(len(parcel) for parcel, outcome in zip(parcels, outcomes, strict=True) if outcome is None)

    async def _settle(
        self, connection: Any, parcels: Sequence[Sequence[Any]], outcomes: Sequence[BaseException | None]
    ) -> None:
        told = [(row, outcome) for parcel, outcome in zip(parcels, outcomes, strict=True) for row in parcel]
        done = [row["position"] for row, outcome in told if outcome is None]
        await connection.execute("DELETE FROM outbox WHERE position = ANY($1::bigint[])", done)
        PUBLISHED.labels(self._producer).inc(len(done))
        for row, outcome in told:
            if outcome is None:
                continue
            pause = timedelta(seconds=min(2 ** min(row["attempts"], 10), _LONGEST_BACK_OFF))
            await connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, last_error = $2, next_attempt_at = $3 WHERE position = $1",
                row["position"],
                repr(outcome)[:500],
                self._clock.now() + pause,
            )
            log.warning("publish_failed", event_id=str(row["id"]), type=row["type"], error=repr(outcome)[:200])

    async def _measure(self) -> None:
        pool = await self._db.asyncpg_pool()
        row = await pool.fetchrow("SELECT count(*) AS depth, min(created_at) AS oldest FROM outbox")
        if row is None:
            return
        DEPTH.labels(self._producer).set(row["depth"])
        age = (self._clock.now() - row["oldest"]).total_seconds() if row["oldest"] else 0.0
        AGE.labels(self._producer).set(age)


def parcels_of(rows: Sequence[Any]) -> list[list[Any]]:
    """Rows of one type together, an aggregate once in each parcel and never before its earlier rows.

    A row that was refused before goes alone: whatever is wrong with it holds up nobody else.
    """
    parcels: list[list[Any]] = []
    filling: dict[str, int] = {}
    newest: dict[UUID, int] = {}
    for row in rows:
        at = filling.get(row["type"])
        if at is None or row["attempts"] or newest.get(row["aggregate_id"], -1) >= at:
            at = len(parcels)
            parcels.append([])
        parcels[at].append(row)
        newest[row["aggregate_id"]] = at
        if row["attempts"] or len(parcels[at]) == _LARGEST_PARCEL:
            filling.pop(row["type"], None)
        else:
            filling[row["type"]] = at
    return parcels


async def _publish(exchange: AbstractExchange, rows: Sequence[Any]) -> None:
    body, content_type = packed([row["envelope"] for row in rows])
    event_type = rows[0]["type"]
    message = aio_pika.Message(
        body,
        message_id=str(rows[0]["id"]),
        type=event_type,
        content_type=content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    with contextlib.ExitStack() as spans:
        for row in rows if is_tracing() else ():
            origin = json.loads(row["envelope"]).get("traceparent")
            spans.enter_context(span(f"publish {event_type}", "PRODUCER", parent=origin, messaging__system="rabbitmq"))
        await exchange.publish(message, routing_key=event_type, timeout=_CONFIRM_SECONDS, mandatory=False)
