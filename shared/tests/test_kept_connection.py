"""A writer's connection survives what happens to it, whether or not somebody was using it."""

import contextlib

import asyncpg
import pytest

from rihla.db import Database
from rihla.db.kept_connection import BY_KEY, KeptConnection
from rihla.testing import eventually


def keep(database: Database, **more):
    return KeptConnection(database.asyncpg_pool, harmless=lambda error: isinstance(error, KeyError), **more)


async def _cut(database, pid):
    pool = await database.asyncpg_pool()
    await pool.fetchval("SELECT pg_terminate_backend($1)", pid)


async def _pid(connection):
    return await connection.fetchval("SELECT pg_backend_pid()")


async def test_a_connection_cut_while_nobody_used_it_is_replaced(database):
    kept = keep(database)
    async with kept.use() as connection:
        first = await _pid(connection)
    await _cut(database, first)
    await eventually(lambda: connection._con is None)
    async with kept.use() as connection:
        assert await _pid(connection) != first
    await kept.close()


async def test_a_connection_cut_in_use_is_replaced(database):
    kept = keep(database)
    pids = []

    async def use():
        async with kept.use() as connection:
            pids.append(await _pid(connection))
            if len(pids) == 1:
                await _cut(database, pids[0])
                await connection.fetchval("SELECT pg_sleep(5)")

    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await use()
    await use()
    assert pids[0] != pids[1]
    await kept.close()


@pytest.mark.parametrize(("error", "kept_it"), [(KeyError, True), (ValueError, False)])
async def test_only_after_a_harmless_error_is_the_connection_kept(database, error, kept_it):
    kept = keep(database, setting_up="SET application_name = 'a writer'")
    pool = await database.asyncpg_pool()

    async def use():
        async with kept.use() as connection:
            assert await connection.fetchval("SHOW application_name") == "a writer"
            raise error

    with pytest.raises(error):
        await use()
    held = pool.get_size() - pool.get_idle_size()
    await kept.close()
    assert held == kept_it
    assert pool.get_size() == pool.get_idle_size()


async def test_what_a_writer_sets_up_is_left_to_nobody_else(database):
    kept, pool = keep(database, setting_up=BY_KEY), await database.asyncpg_pool()
    for ended_by in (ValueError, None):
        with contextlib.suppress(ValueError):
            async with kept.use() as connection:
                assert await connection.fetchval("SHOW enable_hashjoin") == "off"
                mine = await _pid(connection)
                if ended_by:
                    raise ended_by
        await kept.close()
        async with pool.acquire() as connection:
            assert await _pid(connection) != mine
            assert await connection.fetchval("SHOW enable_hashjoin") == "on"
