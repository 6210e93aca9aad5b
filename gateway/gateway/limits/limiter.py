"""Decides whether a request may pass: spends leased tokens, fetches new leases in batches, counts locally without
Redis."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from math import ceil

from gateway.limits.quotas import Quota
from gateway.limits.shared_buckets import Ask, BucketsUnavailable, Lease, SharedBuckets
from gateway.limits.token_bucket import WINDOW_SECONDS, TokenBucket, lease_size
from gateway.routes import WithoutRedis

_MOST_ACCOUNTS = 200_000
_MOST_IN_A_BATCH = 256


class Account:
    """What this process holds of one bucket."""

    __slots__ = ("denied_until", "key", "leased", "left", "local", "quota", "waiting")

    def __init__(self, key: str, quota: Quota) -> None:
        self.key = key
        self.quota = quota
        self.leased = 0
        self.left = quota.quota
        self.denied_until = 0.0
        self.local: TokenBucket | None = None
        self.waiting: asyncio.Future[None] | None = None

    def header(self) -> bytes:
        """The `RateLimit` value: what remains, and in how many seconds the bucket is full again."""
        remaining = self.leased + self.left
        quota = self.quota
        full_in = ceil((quota.quota - remaining) * WINDOW_SECONDS / quota.quota)
        return b'"%s";r=%d;t=%d' % (quota.name.encode(), max(0, remaining), max(1, full_in))

    def retry_after(self) -> int:
        """Whole seconds until a request may pass."""
        return max(1, ceil(self.denied_until - time.monotonic()))


class Limiter:
    """One per process. `local` is true while Redis is gone."""

    def __init__(self, buckets: SharedBuckets, most_leased: int) -> None:
        self._buckets = buckets
        self._most = most_leased
        self._accounts: OrderedDict[tuple[str, int, str], Account] = OrderedDict()
        self._queue: deque[Account] = deque()
        self._fetching: asyncio.Task[None] | None = None
        self.local = False

    def account(self, quota: Quota, key: str) -> Account:
        """The account that `key` has under `quota`."""
        identity = (quota.name, quota.quota, key)
        account = self._accounts.get(identity)
        if account is None:
            account = self._accounts[identity] = Account(f"{quota.name}:{key}", quota)
            if len(self._accounts) > _MOST_ACCOUNTS:
                self._accounts.popitem(last=False)
        return account

    async def spend(self, account: Account, without_redis: WithoutRedis = WithoutRedis.LOCAL) -> bool:
        """Take one token; False when there is none now."""
        while account.leased <= 0:
            if account.denied_until > time.monotonic():
                return without_redis is WithoutRedis.OPEN and self.local
            await self._lease(account)
        account.leased -= 1
        return True

    async def _lease(self, account: Account) -> None:
        """Wait for one lease; whoever comes meanwhile for the same account waits for the same one."""
        if account.waiting is None:
            account.waiting = asyncio.get_running_loop().create_future()
            self._queue.append(account)
            if self._fetching is None or self._fetching.done():
                self._fetching = asyncio.create_task(self._fetch())
        await asyncio.shield(account.waiting)

    async def _fetch(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), _MOST_IN_A_BATCH))]
            try:
                leases = await self._buckets.take([self._ask(account) for account in batch])
                self.local = False
            except BucketsUnavailable:
                self.local = True
                leases = [self._lease_locally(account) for account in batch]
            for account, lease in zip(batch, leases, strict=True):
                _credit(account, lease)

    def _ask(self, account: Account) -> Ask:
        quota = account.quota.quota
        return Ask(account.key, quota, lease_size(quota, self._most))

    def _lease_locally(self, account: Account) -> Lease:
        now = time.monotonic()
        if account.local is None:
            account.local = TokenBucket(account.quota.quota, float(account.left), now)
        granted = account.local.take(1, now)
        return Lease(granted, int(account.local.tokens), account.local.wait())


def _credit(account: Account, lease: Lease) -> None:
    account.leased += lease.granted
    account.left = lease.left
    if not lease.granted:
        account.denied_until = time.monotonic() + lease.wait
    waiting, account.waiting = account.waiting, None
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
