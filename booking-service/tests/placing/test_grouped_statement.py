"""One statement for everybody who is waiting: a transaction for all, and nobody pays for another's mistake."""

import asyncio
import contextlib
from typing import Any

import asyncpg

from booking_service.placing.grouped_statement import GroupedStatement
from rihla.db import Database

_COUNT = """WITH noted AS (
  INSERT INTO lookup_failure (subject, window_starts, failures) VALUES ($1::text, now(), 12 / $2::int) RETURNING 1)
SELECT count(*) FROM noted"""
_KEPT = "SELECT subject, xmin::text AS transaction FROM lookup_failure"


async def _note(house: Any, parts: list[int]) -> list[Any]:
    database = Database(house.settings.database_url, pool_size=2)
    statement = GroupedStatement(database, "noting", _COUNT)
    asked = (statement.execute((f"{at}", part), order=f"{at}") for at, part in enumerate(parts))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    await statement.close()
    await database.close()
    return answers


async def test_those_who_wait_together_share_a_transaction(house: Any) -> None:
    assert await _note(house, [1, 2, 3, 4]) == [1, 1, 1, 1]
    assert len({row["transaction"] for row in await house.rows(_KEPT)}) == 1


async def test_one_that_breaks_its_statement_fails_alone(house: Any) -> None:
    answers = await _note(house, [1, 2, 0, 4])
    assert isinstance(answers.pop(2), asyncpg.DivisionByZeroError)
    assert answers == [1, 1, 1]
    assert {row["subject"] for row in await house.rows(_KEPT)} == {"0", "1", "3"}


async def test_a_connection_that_was_cut_is_replaced(house: Any) -> None:
    database = Database(house.settings.database_url, pool_size=2)
    statement = GroupedStatement(database, "noting", "SELECT pg_backend_pid() + $1::int")
    backend = await statement.execute((0,), order="")
    await house.rows("SELECT pg_terminate_backend(:pid, 5000)", pid=backend)
    with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await statement.execute((0,), order="")  # it hears of the cut, or the driver has noticed before
    assert await statement.execute((0,), order="") != backend
    await statement.close()
    await database.close()
