"""Pooled connections: a dead one is never handed out, a living one is not asked every time."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from rihla.db import Database, asyncpg_dsn
from rihla.db import database as module
from rihla.testing import eventually


async def driver(database: Database) -> Any:
    """The bare connection that the pool hands out next, given back."""
    async with database.engine.connect() as connection:
        return (await connection.get_raw_connection()).driver_connection


async def cut(database: Database, pid: int) -> None:
    """As a restart of the server does."""
    other = await asyncpg.connect(asyncpg_dsn(database.url))
    await other.execute("SELECT pg_terminate_backend($1)", pid)
    await other.close()


async def backend(database: Database) -> int:
    async with database.transaction() as session:
        return int((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())


async def test_a_connection_that_was_just_used_is_not_asked_whether_it_works(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRUSTED_SECONDS", 3600.0)
    said: list[str] = []
    bare = await driver(database)
    with bare.query_logger(lambda record: said.append(record.query)):
        await backend(database)
    assert said == ["BEGIN;", "COMMIT;"], "nothing around the transaction (what is prepared is not written down)"


async def test_one_that_rested_is_asked(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRUSTED_SECONDS", -1.0)
    said: list[str] = []
    bare = await driver(database)
    with bare.query_logger(lambda record: said.append(record.query)):
        await backend(database)
    assert said == ["BEGIN;", ";", "ROLLBACK;", "BEGIN;", "COMMIT;"]


@pytest.mark.parametrize("trusted", [-1.0, 3600.0], ids=["asked", "trusted"])
async def test_a_connection_the_server_cut_is_replaced_before_anybody_uses_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, trusted: float
) -> None:
    monkeypatch.setattr(module, "_TRUSTED_SECONDS", trusted)
    bare, first = await driver(database), await backend(database)
    await cut(database, first)
    await eventually(bare.is_closed)
    assert await backend(database) != first
