"""Says whose unread count has changed. Losing it loses speed: an open socket reads the database now and then anyway."""

import asyncio
import contextlib
from collections.abc import Iterable
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from rihla.telemetry import Counter

UNSENT = Counter("rihla_live_announcements_unsent_total", "Users whose open sockets could not be told through Redis")
_MOST_AT_ONCE = 500


def channel_of(namespace: str) -> str:
    """The one Redis channel of a stack; its messages are user ids with commas between."""
    return f"{namespace}:notices"


class Announcer:
    """`announce` never waits and never raises; what is said while a message is on its way goes with the next one."""

    def __init__(self, redis: "Redis", namespace: str) -> None:
        self._redis = redis
        self._channel = channel_of(namespace)
        self._changed: dict[UUID, None] = {}
        self._sending: asyncio.Task[None] | None = None

    def announce(self, user_ids: Iterable[UUID]) -> None:
        """These users have something new to read, or have read something."""
        self._changed.update(dict.fromkeys(user_ids))
        if self._changed and (self._sending is None or self._sending.done()):
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        """Send what is left, for a second at the most."""
        if self._sending is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sending, 1)

    async def _send(self) -> None:
        while self._changed:
            now = list(self._changed)[:_MOST_AT_ONCE]
            for user_id in now:
                del self._changed[user_id]
            try:
                await self._redis.publish(self._channel, ",".join(map(str, now)))
            except (RedisError, OSError, TimeoutError):
                UNSENT.inc(len(now))
