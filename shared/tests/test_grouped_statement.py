"""One statement for everybody who is waiting: a transaction for all, and nobody pays for another's mistake."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import pytest_asyncio

from rihla.db import Database
from rihla.db.grouped_statement import GroupedStatement

_NOTE = """WITH noted AS (INSERT INTO note (said) SELECT 12 / $1::int RETURNING 1)
SELECT count(*) FROM noted"""


@pytest_asyncio.fixture
async def notes(database: Database) -> Any:
    pool = await database.asyncpg_pool()
    await pool.execute("CREATE TABLE note (said int)")
    return pool


def _statement(database: Database, sql: str = _NOTE) -> GroupedStatement:
    return GroupedStatement(database, "noting", sql, full=lambda: RuntimeError("too many notes"))


async def _note(database: Database, parts: list[int]) -> list[Any]:
    statement = _statement(database)
    asked = (statement.execute((part,), order=f"{at}") for at, part in enumerate(parts))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    await statement.close()
    return answers


async def test_those_who_wait_together_share_a_transaction(database: Database, notes: Any) -> None:
    assert await _note(database, [1, 2, 3, 4]) == [1, 1, 1, 1]
    assert await notes.fetchval("SELECT count(DISTINCT xmin::text) FROM note") == 1


async def test_one_that_breaks_its_statement_fails_alone(database: Database, notes: Any) -> None:
    answers = await _note(database, [1, 2, 0, 4])
    assert isinstance(answers.pop(2), asyncpg.DivisionByZeroError)
    assert answers == [1, 1, 1]
    assert {row["said"] for row in await notes.fetch("SELECT said FROM note")} == {12, 6, 3}


async def test_a_connection_that_was_cut_is_replaced(database: Database, notes: Any) -> None:
    statement = _statement(database, "SELECT pg_backend_pid() + $1::int")
    backend = await statement.execute((0,), order="")
    await notes.execute("SELECT pg_terminate_backend($1, 5000)", backend)
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await statement.execute((0,), order="")  # it hears of the cut, or the driver has noticed before
    assert await statement.execute((0,), order="") != backend
    await statement.close()
