"""One connection kept by a writer: taking it from the pool and giving it back costs a round trip each time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from rihla.telemetry import get_logger

_log = get_logger(__name__)

BY_KEY = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET plan_cache_mode = force_generic_plan"
)
"""`setting_up` of a writer whose statements reach every row by its key. A plan made while a table was empty must not
read all of it once it is large; and one plan for good, because planning costs as much as such a statement itself."""


class KeptConnection:
    """Used by one task at a time. A connection that failed is given back to the pool, which replaces it.

    `pool` says which pool when one is needed; `setting_up` is run once on a connection fresh from it, which is closed
    and not given back; `harmless` knows the errors after which a connection is as good as before.
    """

    def __init__(
        self,
        pool: "Callable[[], Awaitable[asyncpg.Pool[Any]]]",
        *,
        harmless: Callable[[BaseException], bool],
        setting_up: str | None = None,
    ) -> None:
        self._pool = pool
        self._harmless = harmless
        self._setting_up = setting_up
        self._kept: asyncpg.pool.PoolConnectionProxy[Any] | None = None
        self._busy = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[Any]]":
        """The connection, fresh from the pool when there is none that works."""
        async with self._busy:
            if self._kept is None or _is_lost(self._kept):
                await self._give_back()
                self._kept = await (await self._pool()).acquire()
                if self._setting_up is not None:
                    await self._kept.execute(self._setting_up)
            try:
                yield self._kept
            except BaseException as error:
                if self._harmless(error):
                    raise
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
        try:
            if self._setting_up is not None:
                # The pool resets nothing, and nobody else is to plan by these settings: it opens another instead.
                kept.terminate()
            await (await self._pool()).release(kept)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            _log.info("connection_lost")


def _is_lost(kept: "asyncpg.pool.PoolConnectionProxy[Any]") -> bool:
    """Whether the server cut it, even while nobody used it: then the pool has taken it back, and asking it anything
    raises InterfaceError for ever."""
    try:
        return kept.is_closed()
    except asyncpg.InterfaceError:
        return True
