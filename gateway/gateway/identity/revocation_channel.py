"""The quick way revocations come: a Redis channel."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.identity.revocations import Revocations
from rihla.telemetry import get_logger

_log = get_logger(__name__)


async def listen(redis: Redis, channel: str, revocations: Revocations, stop: asyncio.Event) -> None:
    """Hear until `stop`; polls after each (re)connection and whenever a number was skipped."""
    connected = True
    while not stop.is_set():
        try:
            async with redis.pubsub() as pubsub:
                await pubsub.subscribe(channel)
                await _poll(revocations)
                connected = True
                while not stop.is_set():
                    message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                    if message is not None and not revocations.heard(message["data"]):
                        await _poll(revocations)
        except (RedisError, OSError, TimeoutError) as error:
            if connected:
                _log.warning("revocation_channel_lost", reason=type(error).__name__)
            connected = False
            await asyncio.sleep(0.5)


async def _poll(revocations: Revocations) -> None:
    try:
        await revocations.poll()
    except Exception as error:
        _log.warning("revocations_not_polled", reason=repr(error))
