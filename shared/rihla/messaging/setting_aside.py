"""Where an event goes that could not be handled: a delay queue, the dead-letter queue, or once more its own queue."""

from collections.abc import Sequence
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from rihla.messaging.parcel import ONE
from rihla.telemetry import Counter, get_logger

DEAD = Counter("rihla_dead_letters_total", "Messages put aside", ["consumer"])
log = get_logger("consumer")

DELAYS_MS = (1_000, 5_000, 30_000, 120_000, 600_000)
"""Pauses before the next try; the last one repeats."""
_MOST_ATTEMPTS = 12
_ATTEMPT_HEADER = "x-attempt"


class SettingAside:
    """Puts copies of members of a message, one event each, into the queues of one consumer, with confirms."""

    def __init__(self, consumer: str, queue_name: str, delays_ms: Sequence[int]) -> None:
        self._consumer = consumer
        self._queue_name = queue_name
        self._delays = delays_ms

    async def delay(
        self, channel: AbstractChannel, message: AbstractIncomingMessage, body: bytes, event_id: str, reason: str
    ) -> None:
        """To be tried again after a pause, put aside after the last one."""
        attempt = int(str(message.headers.get(_ATTEMPT_HEADER, 0))) + 1
        if attempt >= _MOST_ATTEMPTS:
            await self.put_aside(channel, message, body, event_id, reason)
            return
        pause = self._delays[min(attempt, len(self._delays)) - 1]
        queue = f"{self._queue_name}.delay.{pause}"
        await _copy(channel, message, body, event_id, queue, {_ATTEMPT_HEADER: attempt})

    async def put_aside(
        self,
        channel: AbstractChannel,
        message: AbstractIncomingMessage,
        body: bytes,
        event_id: str | None,
        reason: str,
    ) -> None:
        """For a person to look at."""
        DEAD.labels(self._consumer).inc()
        log.error("dead_letter", consumer=self._consumer, message_id=event_id, reason=reason)
        await _copy(channel, message, body, event_id, f"{self._queue_name}.dead", {"x-reason": reason})

    async def take_apart(
        self, channel: AbstractChannel, message: AbstractIncomingMessage, found: Sequence[bytes]
    ) -> None:
        """Each member into the queue again, by itself."""
        for body in found:
            await _copy(channel, message, body, None, self._queue_name, {})


async def _copy(
    channel: AbstractChannel,
    message: AbstractIncomingMessage,
    body: bytes,
    event_id: str | None,
    queue: str,
    headers: dict[str, Any],
) -> None:
    copy = aio_pika.Message(
        body,
        headers={**message.headers, **headers},
        message_id=event_id,
        type=message.type,
        content_type=ONE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await channel.default_exchange.publish(copy, routing_key=queue, timeout=10)
