"""Closed for maintenance: by setting, or while a Redis key holds a sentence for the people who ask."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

_EVERY_SECONDS = 1.0
_LONGEST = 300


class Maintenance:
    """`message` is empty while the platform is open."""

    def __init__(self, fixed: str, redis: Redis, namespace: str) -> None:
        self._fixed = fixed
        self._redis = redis
        self._key = f"{namespace}:maintenance"
        self.message = fixed

    async def look(self) -> None:
        """Read the key once; while Redis is gone the last answer holds."""
        try:
            said = await self._redis.get(self._key)
        except (RedisError, OSError, TimeoutError):
            return
        self.message = self._fixed or (said.decode(errors="replace")[:_LONGEST] if isinstance(said, bytes) else "")

    async def run(self, stop: asyncio.Event) -> None:
        """Look every second: all gateways close and open together."""
        while not stop.is_set():
            await self.look()
            try:
                await asyncio.wait_for(stop.wait(), _EVERY_SECONDS)
            except TimeoutError:
                continue
