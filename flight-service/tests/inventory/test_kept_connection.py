"""A writer's connection survives what happens to it, whether or not somebody was using it."""

import asyncpg
import pytest

from flight_service.inventory.kept_connection import KeptConnection
from rihla.testing import eventually


async def _cut(pool, pid):
    await pool.fetchval("SELECT pg_terminate_backend($1)", pid)


async def test_a_connection_cut_while_nobody_used_it_is_replaced(pool):
    kept = KeptConnection(pool)
    async with kept.use() as connection:
        first = await connection.fetchval("SELECT pg_backend_pid()")
    await _cut(pool, first)
    await eventually(lambda: connection._con is None)
    async with kept.use() as connection:
        assert await connection.fetchval("SELECT pg_backend_pid()") != first
    await kept.close()


async def test_a_connection_cut_in_use_is_replaced(pool):
    kept = KeptConnection(pool)
    pids = []

    async def use():
        async with kept.use() as connection:
            pids.append(await connection.fetchval("SELECT pg_backend_pid()"))
            if len(pids) == 1:
                await _cut(pool, pids[0])
                await connection.fetchval("SELECT pg_sleep(5)")

    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await use()
    await use()
    assert pids[0] != pids[1]
    await kept.close()
