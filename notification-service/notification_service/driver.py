"""The bare driver inside a unit of work: the few statements every event runs, without the toolkit's cost for each."""

from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

Driver: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"


async def driver_of(session: AsyncSession) -> "asyncpg.Connection[Any]":
    """asyncpg's connection of this session, inside its transaction. JSONB goes in as text and comes out as values."""
    raw = await (await session.connection()).get_raw_connection()
    connection: asyncpg.Connection[Any] = raw.driver_connection  # type: ignore[assignment]
    if not connection.is_in_transaction():
        # The toolkit begins at its first statement; ours must not run before that.
        await session.execute(text("SELECT 1"))
    return connection
