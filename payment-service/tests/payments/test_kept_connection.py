"""The till's connection survives what happens to it while nobody uses it."""

from collections.abc import Awaitable, Callable

from payment_service.payments.kept_connection import KeptConnection
from rihla.db import Database
from rihla.testing import eventually


async def test_a_connection_cut_while_nobody_used_it_is_replaced(database_for: Callable[[str], Awaitable[str]]) -> None:
    db = Database(await database_for("payment-service"))
    kept = KeptConnection(db)
    async with kept.use() as connection:
        first = await connection.fetchval("SELECT pg_backend_pid()")
    pool = await db.asyncpg_pool()
    await pool.fetchval("SELECT pg_terminate_backend($1)", first)
    await eventually(lambda: getattr(connection, "_con", None) is None)
    async with kept.use() as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") != first
    await kept.close()
    await db.close()
