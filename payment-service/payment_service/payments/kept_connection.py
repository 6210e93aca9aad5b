"""One connection kept by a writer: taking it from the pool and giving it back costs a round trip each time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from rihla.db import Database
from rihla.telemetry import get_logger

_log = get_logger(__name__)

# Look-ups by key only: a plan made while a table was empty must not read all of it once it is large.
_BY_INDEX = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"


class KeptConnection:
    """Used by one task at a time. A connection that failed is given back to the pool, which replaces it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: asyncpg.pool.PoolConnectionProxy[Any] | None = None
        self._busy = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[Any]]":
        """The connection, fresh from the pool when there is none that works."""
        async with self._busy:
            if self._kept is None or _is_lost(self._kept):
                await self._give_back()
                pool = await self._db.asyncpg_pool()
                self._kept = await pool.acquire()
                await self._kept.execute(_BY_INDEX)
            try:
                yield self._kept
            except asyncpg.PostgresError as error:
                if isinstance(error, asyncpg.PostgresConnectionError):
                    await self._give_back()
                raise
            except BaseException as error:
                # Whatever it was, the next group starts on a connection nothing has happened to.
                await self._give_back()
                if isinstance(error, asyncpg.InternalClientError):
                    # What the driver says of a connection that the server has just cut: an outage, not our mistake.
                    raise ConnectionError("the connection was cut") from error
                raise

    async def close(self) -> None:
        """Give the connection back."""
        async with self._busy:
            await self._give_back()

    async def _give_back(self) -> None:
        kept, self._kept = self._kept, None
        if kept is None:
            return
        pool = await self._db.asyncpg_pool()
        try:
            await pool.release(kept)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            _log.info("connection_lost")


def _is_lost(kept: "asyncpg.pool.PoolConnectionProxy[Any]") -> bool:
    """Whether the server cut it, even while nobody used it: then the pool has taken it back, and asking it anything
    raises InterfaceError for ever."""
    try:
        return kept.is_closed()
    except asyncpg.InterfaceError:
        return True
