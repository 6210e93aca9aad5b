"""Argon2id in a bounded pool of threads that yield, so that sign-ins never hold up other requests."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from passlib.hash import argon2

from auth_service.passwords.rules import normal_password
from auth_service.problems import TooBusy
from rihla.yielding import HASHES, yielding_threads

T = TypeVar("T")

# OWASP's second recommended setting: 19 MiB, two passes, one lane; 26-36 ms here.
_HASHER = argon2.using(type="ID", memory_cost=19456, time_cost=2, parallelism=1)


class Passwords:
    """Hashes and verifies. Raises TooBusy when more than `queue` computations wait already."""

    def __init__(self, *, threads: int, queue: int) -> None:
        self._pool = yielding_threads(threads, "argon2", nicer=HASHES)
        self._most = threads + queue
        self._running = 0
        # Verified against when there is no account, so that a sign-in costs the same.
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The Argon2id hash in PHC form."""
        return await self._run(lambda: str(_HASHER.hash(normal_password(password))))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is right. With nothing stored it takes as long and is wrong."""
        if self._nobody is None:
            self._nobody = await self.hash("nobody has this password")
        against = stored or self._nobody
        right = await self._run(lambda: bool(_HASHER.verify(normal_password(password), against)))
        return right and stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """Whether the hash was made with weaker settings than today's."""
        return bool(_HASHER.needs_update(stored))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._running >= self._most:
            raise TooBusy("Too many people are signing in just now; try again in a few seconds.", retry_after=2)
        self._running += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._running -= 1

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
