"""A consumer: each event's effect happens once, because it commits together with the inbox row.

Acknowledged after the commit. A failure that may pass goes to a delay queue with a growing pause, a message that can
never be handled to the dead-letter queue at once; both are counted.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.contracts.events import Envelope
from rihla.db import Database
from rihla.db.inbox import first_time
from rihla.kernel import Clock
from rihla.messaging.broker import Broker
from rihla.telemetry import Counter, get_logger
from rihla.tracing import span

Handler = Callable[[AsyncSession, Envelope], Awaitable[None]]
AtOnce = Callable[[Envelope, str], Awaitable[bool]]
HANDLED = Counter("rihla_events_handled_total", "Events by outcome", ["consumer", "type", "outcome"])
DEAD = Counter("rihla_dead_letters_total", "Messages put aside", ["consumer"])
log = get_logger("consumer")

DELAYS_MS = (1_000, 5_000, 30_000, 120_000, 600_000)
"""Pauses before the next try; the last one repeats."""
_MOST_ATTEMPTS = 12
_ATTEMPT_HEADER = "x-attempt"


class Retry(Exception):
    """Not now: try this event again after a pause."""


class Poison(Exception):
    """This event can never be handled: put it aside for a person to look at."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One kind of event and its handler, which runs in the transaction that recorded the event in the inbox.

    `after_commit` is called (not awaited) when the effect has committed: a nudge for a loop of the same process.
    `at_once`, for events that come by the thousand, is asked first: given the event and the consumer's name it commits
    inbox row and effect by itself, in one statement, or changes nothing and leaves the event to the handler (False).
    """

    producer: str
    event_type: str
    handler: Handler
    after_commit: Callable[[Envelope], object] | None = None
    at_once: AtOnce | None = None


class Consumer:
    """One queue `<namespace>.<name>` bound to the events of its bindings. `run` is a worker loop."""

    def __init__(
        self,
        broker: Broker,
        db: Database,
        *,
        name: str,
        bindings: Sequence[Binding],
        clock: Clock | None = None,
        prefetch: int = 32,
        delays_ms: Sequence[int] = DELAYS_MS,
    ) -> None:
        self._broker = broker
        self._db = db
        self._consumer = name
        self.name = f"consumer-{name}"
        self._bindings = {binding.event_type: binding for binding in bindings}
        self._prefetch = prefetch
        self._delays = delays_ms
        self._order: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.queue_name = f"{broker.namespace}.{name}"

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`. Raises when the connection is lost; the loop group starts it again."""
        channel = await self._broker.channel()
        closed = asyncio.Event()
        channel.close_callbacks.add(lambda *_: closed.set())
        tasks: set[asyncio.Task[None]] = set()
        try:
            await channel.set_qos(prefetch_count=self._prefetch)
            queue = await self.declare(channel)

            async def take(message: AbstractIncomingMessage) -> None:
                task = asyncio.create_task(self._take(channel, message))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            tag = await queue.consume(take)
            await _first_of(stop, closed)
            if closed.is_set() and not stop.is_set():
                raise ConnectionError("the channel to RabbitMQ closed")
            await queue.cancel(tag)
        finally:
            if tasks:
                await asyncio.wait(set(tasks), timeout=5)
            with contextlib.suppress(Exception):
                await channel.close()

    async def declare(self, channel: AbstractChannel) -> AbstractQueue:
        """Declare the queue, its delay queues, its dead-letter queue and its bindings."""
        queue = await self._broker.queue(channel, self._consumer)
        await self._broker.queue(channel, f"{self._consumer}.dead")
        for delay in self._delays:
            back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.queue_name, "x-message-ttl": delay}
            await self._broker.queue(channel, f"{self._consumer}.delay.{delay}", **back)
        for binding in self._bindings.values():
            exchange = await self._broker.exchange(channel, binding.producer)
            await queue.bind(exchange, binding.event_type)
        return queue

    async def _take(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        try:
            await self._handle_and_settle(channel, message)
        except Exception as error:
            # The connection is going: the broker delivers the message again, and the inbox knows it.
            log.warning("settle_failed", consumer=self._consumer, error=repr(error)[:200])

    async def _handle_and_settle(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        try:
            envelope = Envelope.model_validate_json(message.body)
        except ValidationError:
            await self._put_aside(channel, message, "not an event envelope")
            return
        lock = self._order[envelope.subject]
        try:
            async with lock:
                with span(f"process {envelope.type}", "CONSUMER", parent=envelope.traceparent, **self._described()):
                    outcome = await self.handle(envelope)
        except (Poison, ValidationError, KeyError) as error:
            await self._put_aside(channel, message, repr(error)[:300])
            outcome = "poison"
        except Exception as error:
            log.warning("event_failed", consumer=self._consumer, type=envelope.type, exc_info=error)
            await self._delay(channel, message, repr(error)[:300])
            outcome = "delayed"
        else:
            await message.ack()
        finally:
            if not lock.locked():
                self._order.pop(envelope.subject, None)
        HANDLED.labels(self._consumer, envelope.type, outcome).inc()

    def _described(self) -> dict[str, str]:
        return {"messaging__system": "rabbitmq", "messaging__destination__name": self.queue_name}

    async def handle(self, envelope: Envelope) -> str:
        """The effect of one event, once: `handled`, `repeated` (seen before) or `ignored` (nobody here wants it)."""
        binding = self._bindings.get(envelope.type)
        if binding is None:
            return "ignored"
        if binding.at_once is not None and await binding.at_once(envelope, self._consumer):
            return "handled"
        async with self._db.transaction() as session:
            if not await first_time(session, consumer=self._consumer, event_id=envelope.id):
                return "repeated"
            await binding.handler(session, envelope)
        if binding.after_commit is not None:
            binding.after_commit(envelope)
        return "handled"

    async def _delay(self, channel: AbstractChannel, message: AbstractIncomingMessage, reason: str) -> None:
        attempt = int(str(message.headers.get(_ATTEMPT_HEADER, 0))) + 1
        if attempt >= _MOST_ATTEMPTS:
            await self._put_aside(channel, message, reason)
            return
        delay = self._delays[min(attempt, len(self._delays)) - 1]
        await self._move(channel, message, f"{self.queue_name}.delay.{delay}", {_ATTEMPT_HEADER: attempt})

    async def _put_aside(self, channel: AbstractChannel, message: AbstractIncomingMessage, reason: str) -> None:
        DEAD.labels(self._consumer).inc()
        log.error("dead_letter", consumer=self._consumer, message_id=message.message_id, reason=reason)
        await self._move(channel, message, f"{self.queue_name}.dead", {"x-reason": reason})

    async def _move(
        self, channel: AbstractChannel, message: AbstractIncomingMessage, queue: str, headers: dict[str, Any]
    ) -> None:
        copy = aio_pika.Message(
            message.body,
            headers={**message.headers, **headers},
            message_id=message.message_id,
            type=message.type,
            content_type=message.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await channel.default_exchange.publish(copy, routing_key=queue, timeout=10)
        await message.ack()


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
