"""The deed behind POST .../confirm: sell what is held, and give a seat to everybody who has none.

Confirmations are grouped as holds are: parties that confirm at the same moment are seated one after another, so that
they do not all plan the same best seats and collide.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from flight_service.inventory import store
from flight_service.inventory.hold import StoredHold
from flight_service.inventory.problems import HoldExpired, HoldReleased, HoldUnknown
from flight_service.inventory.retrying import until_unmoved
from flight_service.inventory.seating import Fleet, Seating
from flight_service.inventory.writer_connection import writer_connection
from rihla.telemetry import get_logger
from rihla.web.outages import is_outage

Outcome = StoredHold | Exception
log = get_logger("inventory")


class ConfirmHolds:
    """Writes groups of confirmations. `group` is what the process's one writer calls."""

    def __init__(self, pool: "asyncpg.Pool[Any]", fleet: Fleet) -> None:
        self._connection = writer_connection(pool)
        self._fleet = fleet

    async def close(self) -> None:
        """Give the connection back."""
        await self._connection.close()

    async def group(self, ids: Sequence[UUID]) -> list[Outcome]:
        """The confirmed hold, or why not, for each id in order. Idempotent. A hold whose time is over still confirms
        while
        nobody has taken its seats."""

        async def attempt(_: int) -> list[Outcome]:
            async with self._connection.use() as connection:
                return await self._try(connection, ids)

        try:
            return await until_unmoved(attempt)
        except Exception as error:
            if len(ids) == 1:
                return [error]
            if is_outage(error):
                return [error] * len(ids)
            log.warning("group_taken_apart", error=type(error).__name__, holds=len(ids))
        return [outcome for id_ in ids for outcome in await self.group([id_])]

    async def _try(self, connection: store.Connection, ids: Sequence[UUID]) -> list[Outcome]:
        found = await store.read_holds(connection, ids)
        held = [hold for hold in found.values() if hold.status == "held"]
        confirmed: dict[UUID, StoredHold] = {}
        if held:
            seating = await Seating.read(connection, self._fleet, held)
            notes: dict[UUID, tuple[str, ...]] = {}
            seats: list[store.SeatGiven] = []
            for hold in held:
                given, said = seating.plan(hold)
                notes[hold.id] = (*hold.notes, *said)
                seats += given
                confirmed[hold.id] = sold(hold, given, notes[hold.id])
            await store.confirm(connection, notes, seats)
        return [confirmed.get(id_) or _settled(found.get(id_)) for id_ in ids]


def sold(hold: StoredHold, given: Sequence[store.SeatGiven], notes: tuple[str, ...]) -> StoredHold:
    """The hold as it is after its confirmation."""
    seats = {(seat.passenger_id, seat.flight_id): seat.designator for seat in given}
    rows = tuple(
        replace(row, state="sold", designator=seats.get((row.passenger_id, row.flight_id), row.designator))
        if row.state == "held"
        else row
        for row in hold.rows
    )
    return replace(hold, status="confirmed", notes=notes, rows=rows)


def _settled(hold: StoredHold | None) -> Outcome:
    if hold is None:
        return HoldUnknown("No hold has this id.")
    if hold.status == "confirmed":
        return hold
    if hold.status == "expired":
        return HoldExpired("The hold has expired and its seats were given back; reinstate it first.")
    return HoldReleased("The hold was released.")
