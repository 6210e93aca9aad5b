"""One statement for everybody who is waiting: many executions in one round trip and one transaction.

The statement stays what it is for one booking, or whatever it is about; only the way to PostgreSQL and the commit are
shared, which is half of what a placing costs there and most of what it costs here (ADR 0005). Where a partial index
knows a state, it says `state = (SELECT 'placing')`: with a literal, a planner that knows nothing of the table yet reads
the whole partial index of the rows in that state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from rihla.db import Database
from rihla.db.group_writer import GroupWriter
from rihla.db.kept_connection import BY_KEY, KeptConnection

_LARGEST_GROUP = 32
_Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    values: _Values
    order: str


class GroupedStatement:
    """Executes `statement`, which answers with exactly one row, for each caller; the row's first column is the answer.

    A member sees what the members before it did, as if each had come alone. It reaches every row by its key (`BY_KEY`).
    `full` makes the error of whoever comes when too many wait already.
    """

    def __init__(self, db: Database, name: str, statement: str, *, full: Callable[[], Exception]) -> None:
        self._statement = statement
        self._connection = KeptConnection(
            db.asyncpg_pool, harmless=lambda error: isinstance(error, _OF_ONE), setting_up=BY_KEY
        )
        self._writer: GroupWriter[_Asked, Any] = GroupWriter(
            name, self._execute, keys=lambda _: frozenset(), full=full, largest_group=_LARGEST_GROUP
        )

    async def execute(self, values: _Values, *, order: str) -> Any:
        """The answer for these values, committed. `order`: groups of several processes lock rows in this order.

        Raises what PostgreSQL says of these values, and `full()`.
        """
        return await self._writer.submit(_Asked(values, order))

    async def close(self) -> None:
        """Finish what is waiting and give the connection back."""
        await self._writer.close()
        await self._connection.close()

    async def _execute(self, group: Sequence[_Asked]) -> list[Any | Exception]:
        """An answer for each, in order. One that breaks its statement fails alone: the others are done without it."""
        turns = sorted(range(len(group)), key=lambda at: group[at].order)
        try:
            async with self._connection.use() as connection:
                rows = await connection.fetchmany(self._statement, [group[at].values for at in turns])
        except _OF_ONE as error:
            if len(group) == 1:
                return [error]
            return [answer for member in group for answer in await self._execute([member])]
        answers = dict(zip(turns, (row[0] for row in rows), strict=True))
        return [answers[at] for at in range(len(group))]


_OF_ONE = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)
"""What one member's values can cause. The whole group was rolled back, and the connection is as good as before."""
