"""The placing desk of a process: three transactions of a placing, each shared by everybody who is waiting for it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg

from booking_service.bookings.reference import new_reference
from booking_service.placing.budget_store import SLOT_INDEX
from booking_service.placing.compose import Placing
from booking_service.placing.hold_budget import HoldBudget
from booking_service.placing.refusal_store import REFUSE, Ending, refuse_values
from booking_service.placing.store import BEGIN, PLACE, begin_values
from rihla.db import Database
from rihla.db.grouped_statement import GroupedStatement
from rihla.kernel import DomainError
from rihla.web.idempotency import IdempotentRequest


class TooManyAtOnce(DomainError):
    """So many placings wait for the database that another one would only wait in vain."""


class PlacingDesk:
    """One for each process. Every method is a transaction; it raises TooManyAtOnce when too many wait for it."""

    def __init__(self, db: Database) -> None:
        self._begin = GroupedStatement(db, "begin_placing", BEGIN, full=_full)
        self._place = GroupedStatement(db, "place", PLACE, full=_full)
        self._refuse = GroupedStatement(db, "refuse", REFUSE, full=_full)

    async def close(self) -> None:
        """Finish what is waiting."""
        for statement in (self._begin, self._place, self._refuse):
            await statement.close()

    async def begin(
        self, placing: Placing, idem: IdempotentRequest, *, lease_until: datetime, budget: HoldBudget
    ) -> Placing | None:
        """The placing as it was begun, or None when the key was there already or the hold budget must be looked at.

        A reference somebody has is drawn again (seldom: there are a thousand million), and so is a slot a rival took.
        """
        while True:
            values = begin_values(placing, idem, lease_until=lease_until, budget=budget)
            try:
                begun = await self._begin.execute(values, order=idem.scope + idem.key)
            except asyncpg.UniqueViolationError as error:
                if error.constraint_name == "uq_booking_reference":
                    placing = replace(placing, reference=new_reference())
                elif error.constraint_name != SLOT_INDEX:
                    raise
            else:
                return placing if begun else None

    async def place(self, values: tuple[Any, ...]) -> bool:
        """Store what was sold (`store.place_values`). False when another attempt took over."""
        return bool(await self._place.execute(values, order=str(values[0])))

    async def refuse(self, placing: Placing, ending: Ending, idem: IdempotentRequest | None, *, now: datetime) -> bool:
        """End the attempt without a booking. False when another attempt took over."""
        values = refuse_values(placing, ending, idem, now=now)
        return bool(await self._refuse.execute(values, order=str(placing.booking_id)))


def _full() -> TooManyAtOnce:
    return TooManyAtOnce("Too many people are booking at this moment; try again in a second.")
