"""One service's database: an engine, a unit of work, and a bare driver pool for the few hot paths."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

_WAIT_SECONDS = 5
"""How long a connection is waited for, a new one or the pool's."""
_COMMAND_SECONDS = 15
_CHECK_SECONDS = 2
_TRUSTED_SECONDS = 1.0
"""A connection that was given back this short a time ago, and is not closed, is taken to work."""


def asyncpg_dsn(url: str) -> str:
    """The URL as the bare driver reads it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def sqlalchemy_url(url: str) -> str:
    """The URL as SQLAlchemy reads it, with the asyncpg driver named."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


async def _nothing_to_reset(_: Any) -> None:
    """The driver has rolled back by itself; nothing else is set on these connections."""


def _given_back(_: Any, record: Any) -> None:
    record.info["given_back"] = time.monotonic()


def _still_there(connection: Any, record: Any, _: Any) -> None:
    """Before a pooled connection is used again: a restarted PostgreSQL leaves dead ones in the pool.

    Raises InvalidatePoolError, and the pool opens a new one. The pool's own pre-ping costs a transaction of its own
    (three round trips) each time; one that rested longer is asked in just that way.
    """
    given_back = record.info.get("given_back")
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if given_back is None or time.monotonic() - given_back < _TRUSTED_SECONDS:
        return
    try:
        connection.ping()
    except Exception as error:
        raise InvalidatePoolError from error


class Database:
    """Opens nothing until it is used. READ COMMITTED, with bounds on how long a statement or a lock may take."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        statement_timeout_ms: int = 15_000,
        lock_timeout_ms: int = 5_000,
        application_name: str = "rihla",
    ) -> None:
        self.url = url
        self._pool_size = pool_size
        self._server_settings = {
            "application_name": application_name,
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(lock_timeout_ms),
            "idle_in_transaction_session_timeout": "30000",
            "jit": "off",
        }
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_WAIT_SECONDS,
            pool_recycle=1800,
            connect_args={"server_settings": self._server_settings, "timeout": _WAIT_SECONDS},
        )
        event.listen(self.engine.sync_engine, "checkin", _given_back)
        event.listen(self.engine.sync_engine, "checkout", _still_there)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._bare: asyncpg.Pool[Any] | None = None
        self._bare_lock = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        async with self._sessions() as session, session.begin():
            yield session

    async def asyncpg_pool(self) -> "asyncpg.Pool[Any]":
        """The bare driver's pool, opened at first use, for paths where the ORM's cost was measured as too much.

        A connection goes back without the driver's usual RESET, which would double the round trips of a path that is
        one statement: whoever takes one leaves no session state behind (settings, LISTEN, session locks). A transaction
        left open is rolled back all the same.
        """
        async with self._bare_lock:
            if self._bare is None:
                self._bare = await asyncpg.create_pool(
                    asyncpg_dsn(self.url),
                    min_size=1,
                    max_size=self._pool_size,
                    timeout=_WAIT_SECONDS,
                    command_timeout=_COMMAND_SECONDS,
                    server_settings=self._server_settings,
                    reset=_nothing_to_reset,
                )
            return self._bare

    async def check(self) -> None:
        """Raise unless the database answers within two seconds."""
        async with asyncio.timeout(_CHECK_SECONDS), self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        if self._bare is not None:
            await self._bare.close()
        await self.engine.dispose()
