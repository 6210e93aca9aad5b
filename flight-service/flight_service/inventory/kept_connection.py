"""One connection kept by a writer: taking it from the pool and giving it back costs a round trip each time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg


class KeptConnection:
    """Used by one task at a time. A connection that failed is given back to the pool, which replaces it."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._kept: asyncpg.pool.PoolConnectionProxy[Any] | None = None
        self._busy = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[Any]]":
        """The connection, fresh from the pool when there is none that works."""
        async with self._busy:
            if self._kept is None or self._kept.is_closed():
                await self._give_back()
                self._kept = await self._pool.acquire()
            try:
                yield self._kept
            except (OSError, TimeoutError, asyncio.CancelledError, asyncpg.InterfaceError):
                await self._give_back()
                raise

    async def close(self) -> None:
        """Give the connection back."""
        async with self._busy:
            await self._give_back()

    async def _give_back(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            await self._pool.release(kept)
