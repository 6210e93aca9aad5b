"""A consumer: each event's effect happens once, because it commits together with the inbox row.

Acknowledged after the commit. A failure that may pass goes to a delay queue with a growing pause, an event that can
never be handled to the dead-letter queue at once; both are counted. Events that share a message (`parcel`) may share
the transaction too; when that fails, each is handled by itself, and only those that fail then are put back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.contracts.events import Envelope
from rihla.db import Database
from rihla.db.inbox import first_time, new_among
from rihla.kernel import Clock
from rihla.messaging.broker import Broker
from rihla.messaging.parcel import members, unpacked
from rihla.messaging.setting_aside import DELAYS_MS, SettingAside
from rihla.messaging.turns import Turns
from rihla.telemetry import Counter, get_logger
from rihla.tracing import span

Handler = Callable[[AsyncSession, Envelope], Awaitable[None]]
AtOnce = Callable[[Envelope, str], Awaitable[bool]]
HANDLED = Counter("rihla_events_handled_total", "Events by outcome", ["consumer", "type", "outcome"])
log = get_logger("consumer")


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
    `together`: the handler may share one transaction with those of other events of the same message, in the order of
    their subjects; not for a binding with `at_once`.
    """

    producer: str
    event_type: str
    handler: Handler
    after_commit: Callable[[Envelope], object] | None = None
    at_once: AtOnce | None = None
    together: bool = False


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
        self._aside = SettingAside(name, f"{broker.namespace}.{name}", delays_ms)
        self._hands = asyncio.Semaphore(prefetch)
        self._turns = Turns()
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
            envelopes = unpacked(message.body, message.content_type)
        except ValidationError:
            await self._put_aside_unreadable(channel, message)
            return
        async with self._turns.of({envelope.subject for envelope in envelopes}):
            outcomes = await self.handle_all(envelopes)
        for at, (envelope, outcome) in enumerate(zip(envelopes, outcomes, strict=True)):
            said = (
                outcome if isinstance(outcome, str) else await self._put_back(channel, message, at, envelope, outcome)
            )
            HANDLED.labels(self._consumer, envelope.type, said).inc()
        await message.ack()

    async def _put_back(
        self, channel: AbstractChannel, message: AbstractIncomingMessage, at: int, envelope: Envelope, error: Exception
    ) -> str:
        """Store a member that failed where it belongs; what that is called."""
        body = members(message.body, message.content_type)[at]
        if isinstance(error, Poison | ValidationError | KeyError):
            await self._aside.put_aside(channel, message, body, str(envelope.id), repr(error)[:300])
            return "poison"
        log.warning("event_failed", consumer=self._consumer, type=envelope.type, exc_info=error)
        await self._aside.delay(channel, message, body, str(envelope.id), repr(error)[:300])
        return "delayed"

    async def _put_aside_unreadable(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        """Not an envelope, or one among several: then each comes again by itself."""
        found = members(message.body, message.content_type)
        if len(found) > 1:
            await self._aside.take_apart(channel, message, found)
        else:
            await self._aside.put_aside(channel, message, found[0], message.message_id, "not an event envelope")
        await message.ack()

    async def handle_all(self, envelopes: Sequence[Envelope]) -> list[str | Exception]:
        """What became of each event of a message, in their order: `handle`'s word, or its error."""
        binding = self._bindings.get(envelopes[0].type)
        several = len(envelopes) > 1 and len({envelope.type for envelope in envelopes}) == 1
        if several and binding is not None and binding.together and binding.at_once is None:
            try:
                async with self._hands:
                    return await self._handle_together(binding, envelopes)
            except Exception as error:
                log.info("group_failed", consumer=self._consumer, events=len(envelopes), error=repr(error)[:200])

        async def alone(envelope: Envelope) -> str | Exception:
            try:
                async with self._hands:
                    with self._span(envelope):
                        return await self.handle(envelope)
            except Exception as error:
                return error

        return list(await asyncio.gather(*map(alone, envelopes)))

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

    async def _handle_together(self, binding: Binding, envelopes: Sequence[Envelope]) -> list[str | Exception]:
        """As `handle`, in one transaction."""
        given = {envelope.id: envelope for envelope in envelopes}
        async with self._db.transaction() as session:
            new = await new_among(session, consumer=self._consumer, event_ids=list(given))
            # Two groups that touch the same subjects take them in the same order.
            for envelope in sorted((given[one] for one in new), key=lambda one: one.subject):
                with self._span(envelope):
                    await binding.handler(session, envelope)
        if binding.after_commit is not None:
            for event_id in new:
                binding.after_commit(given[event_id])
        return ["handled" if envelope.id in new else "repeated" for envelope in envelopes]

    def _span(self, envelope: Envelope) -> AbstractContextManager[object]:
        about = {"messaging__system": "rabbitmq", "messaging__destination__name": self.queue_name}
        return span(f"process {envelope.type}", "CONSUMER", parent=envelope.traceparent, **about)


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
