"""Token buckets in Redis, many asked for in one round trip."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

# One call serves many buckets. A bucket is one string "tokens:milliseconds"; a missing one is full. Redis' own clock
# is used, so gateways need not agree on the time.
_SCRIPT = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local out = {}
for i = 1, #KEYS do
  local quota, want = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local tokens = quota
  local stored = redis.call('GET', KEYS[i])
  if stored then
    local n, at = string.match(stored, '^([^:]+):(%d+)$')
    tokens = math.min(quota, tonumber(n) + math.max(0, now - tonumber(at)) * quota / 60000)
  end
  local granted = math.min(want, math.floor(tokens))
  tokens = tokens - granted
  redis.call('SET', KEYS[i], string.format('%.4f:%d', tokens, now), 'PX', 61000)
  out[3 * i - 2] = granted
  out[3 * i - 1] = math.floor(tokens)
  out[3 * i] = math.max(0, math.ceil((1 - tokens) * 60000 / quota))
end
return out
"""


class BucketsUnavailable(Exception):
    """Redis cannot be asked now."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One bucket to take from."""

    key: str
    quota: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Lease:
    """What was given: tokens to use, tokens that stay behind, seconds until the next one when nothing was given."""

    granted: int
    left: int
    wait: float


def connect(url: str, timeout: float) -> Redis:
    """A client that gives up quickly: a slow limit is worse than a local one."""
    return Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0), protocol=2
    )


class SharedBuckets:
    """Asks Redis; after a failure it does not ask again for a second (`BucketsUnavailable` at once)."""

    def __init__(self, redis: Redis, namespace: str, pause: float = 1.0) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._redis = redis
        self._prefix = f"{namespace}:limit:"
        self._pause = pause
        self._not_before = 0.0
        self.problem: str | None = None

    async def take(self, asks: Sequence[Ask]) -> list[Lease]:
        """Leases in the order of `asks`. Raises `BucketsUnavailable`."""
        if time.monotonic() < self._not_before:
            raise BucketsUnavailable
        args = [number for ask in asks for number in (ask.quota, ask.wanted)]
        try:
            flat = await self._script(keys=[self._prefix + ask.key for ask in asks], args=args)
        except (RedisError, OSError, TimeoutError) as error:
            self._not_before = time.monotonic() + self._pause
            self.problem = type(error).__name__
            raise BucketsUnavailable from error
        self.problem = None
        return [Lease(flat[i], flat[i + 1], flat[i + 2] / 1000) for i in range(0, len(flat), 3)]

    async def check(self) -> str | None:
        """None when Redis answers, else the kind of failure."""
        try:
            await self._redis.ping()
        except (RedisError, OSError, TimeoutError) as error:
            self.problem = type(error).__name__
        else:
            self.problem = None
        return self.problem
