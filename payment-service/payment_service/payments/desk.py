"""The till's writer: payments that come at the same moment share a read, a decision and one write (docs/adr/0003)."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

import asyncpg

from payment_service.payments.asked import Asked, keys_of
from payment_service.payments.decide_group import LONG_WAY, Decided, Decision
from payment_service.payments.errors import TillBusy
from payment_service.payments.group_batch import write_batch
from payment_service.payments.group_facts import read_facts
from payment_service.payments.telling import count_ended
from rihla.db import Database
from rihla.db.group_writer import GroupWriter
from rihla.db.kept_connection import BY_KEY, KeptConnection
from rihla.kernel import Clock

_TRIES: Final = 8
_MOVED: Final = "RP001"
# Another process wrote what we are about to write: reading again shows it.
_READ_AGAIN: Final = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)


def _harmless(error: BaseException) -> bool:
    """What the database refused left the connection as it was, unless the connection itself is what broke."""
    return isinstance(error, asyncpg.PostgresError) and not isinstance(error, asyncpg.PostgresConnectionError)


def _full() -> TillBusy:
    return TillBusy("Too many people are paying at this moment; try again in a second.")


class PaymentDesk:
    """Takes what is asked one by one and writes it in groups; each member is all or nothing."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._clock = clock
        self._connection = KeptConnection(db.asyncpg_pool, harmless=_harmless, setting_up=BY_KEY)
        self._writer: GroupWriter[Asked, Decided] = GroupWriter("payments", self._group, keys=keys_of, full=_full)

    async def ask(self, asked: Asked) -> Decided:
        """The answer once it is committed; LONG_WAY when nothing was done. Raises ChargeNotDue, TillBusy."""
        return await self._writer.submit(asked)

    async def close(self) -> None:
        """Finish what waits."""
        await self._writer.close()
        await self._connection.close()

    async def _group(self, group: Sequence[Asked]) -> list[Decided | Exception]:
        for attempt in range(_TRIES):
            try:
                return await self._once(group)
            except asyncpg.PostgresError as error:
                if getattr(error, "sqlstate", "") != _MOVED and not isinstance(error, _READ_AGAIN):
                    if len(group) == 1:
                        return [error]
                    break  # one that the database cannot store fails alone
                await asyncio.sleep(random.uniform(0, 0.002 * 2**attempt))
        else:
            if len(group) == 1:
                return [TillBusy("Too much is going on around this payment; try again in a second.")]
        return [(await self._group([asked]))[0] for asked in group]

    async def _once(self, group: Sequence[Asked]) -> list[Decided | Exception]:
        now = self._clock.now()
        async with self._connection.use() as connection:
            decision = Decision(await read_facts(connection, group), now)
            answers = decision.run(group)
            await write_batch(connection, decision.batch, now=now)
        for payment in decision.batch.payments:
            count_ended(payment.purpose, payment.status)
        for _ in decision.batch.settled:
            count_ended("charge", "succeeded")
        return answers


__all__ = ["LONG_WAY", "PaymentDesk"]
