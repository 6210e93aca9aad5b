"""Counters of failed sign-ins: in Redis for all replicas, in this process while Redis is away."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from auth_service.problems import TooManyAttempts
from auth_service.throttle.rules import (
    WINDOW_SECONDS,
    Failures,
    address_refusal_seconds,
    pair_refusal_seconds,
    pause_seconds,
)
from rihla.telemetry import get_logger

log = get_logger(__name__)

_LOCAL_SIZE = 50_000


class SignInAttempts:
    """Remembers failures by account, by network address and by both; decides nothing (see `rules.py`)."""

    def __init__(
        self,
        redis: "Redis",
        *,
        namespace: str,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        seconds: Callable[[], float] = time.time,
    ) -> None:
        self._redis = redis
        self._prefix = f"{namespace}:auth:failed:"
        self._pause = pause
        self._seconds = seconds
        self._local: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def admit(self, identifier: str, client_ip: str | None) -> None:
        """Wait as long as the rules say before a try goes on. Raises TooManyAttempts when it must come back later."""
        failures, pair_at, address_at = await self._read(self._keys(identifier, client_ip))
        until = max(pair_at + pair_refusal_seconds(failures), address_at + address_refusal_seconds(failures))
        wait = until - self._seconds()
        if wait > 0:
            seconds = max(1, round(wait))
            raise TooManyAttempts(f"Too many failed tries; try again in {seconds} s.", retry_after=seconds)
        delay = pause_seconds(failures)
        if delay:
            await self._pause(delay)

    async def failed(self, identifier: str, client_ip: str | None) -> None:
        """Count one failure."""
        keys = self._keys(identifier, client_ip)
        now = self._seconds()
        for key in keys:
            self._remember(key, now)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.hincrby(key, "n", 1)
                    pipe.hset(key, "at", str(now))
                    pipe.expire(key, WINDOW_SECONDS)
                await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("sign_in_counters_local", reason=type(error).__name__)

    async def succeeded(self, identifier: str, client_ip: str | None) -> None:
        """Forget what this account failed from this address; the other counters fade by themselves."""
        pair = self._keys(identifier, client_ip)[0]
        self._local.pop(pair, None)
        try:
            await self._redis.delete(pair)
        except (RedisError, OSError) as error:
            log.warning("sign_in_counters_local", reason=type(error).__name__)

    async def _read(self, keys: tuple[str, str, str]) -> tuple[Failures, float, float]:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.hmget(key, ["n", "at"])
                rows = await pipe.execute()
            counted = [(int(n or 0), float(at or 0)) for n, at in rows]
        except (RedisError, OSError):
            counted = [self._recall(key) for key in keys]
        (pair, pair_at), (address, address_at), (account, _) = counted
        return Failures(pair=pair, address=address, account=account), pair_at, address_at

    def _keys(self, identifier: str, client_ip: str | None) -> tuple[str, str, str]:
        who = hashlib.sha256(identifier.encode()).hexdigest()[:24]
        # Without a network address the account stands in for it: nobody shares that counter.
        where = client_ip or who
        return f"{self._prefix}{who}@{where}", f"{self._prefix}@{where}", f"{self._prefix}{who}"

    def _remember(self, key: str, now: float) -> None:
        count, _ = self._recall(key)
        self._local[key] = (count + 1, now)
        self._local.move_to_end(key)
        if len(self._local) > _LOCAL_SIZE:
            self._local.popitem(last=False)

    def _recall(self, key: str) -> tuple[int, float]:
        count, at = self._local.get(key, (0, 0.0))
        return (count, at) if at > self._seconds() - WINDOW_SECONDS else (0, 0.0)
