"""The deeds behind PUT .../seats (move travellers to seats they choose) and POST .../seats/assign (seat those who have
none).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from flight_service.catalogue.layout import Cabin, Seat
from flight_service.inventory import store
from flight_service.inventory.hold import Preference, StoredHold, StoredRow
from flight_service.inventory.problems import HoldExpired, HoldReleased, HoldUnknown, SeatTaken
from flight_service.inventory.retrying import until_unmoved
from flight_service.inventory.seating import Fleet, Seating
from flight_service.inventory.store import SeatGiven
from rihla.kernel import Clock
from rihla.web.problems import ValidationFailed

Move = tuple[UUID, str, str]
"""(passenger id, flight id, designator)."""


class ChangeSeats:
    """Seat changes of holds that are held or confirmed."""

    def __init__(self, pool: "asyncpg.Pool[Any]", clock: Clock, fleet: Fleet) -> None:
        self._pool = pool
        self._clock = clock
        self._fleet = fleet

    async def move(self, hold_id: UUID, moves: Sequence[Move]) -> StoredHold:
        """Put each traveller on the seat named, all or none; two may change places. Sets no price.

        Raises SeatTaken, ValidationFailed with a pointer, HoldUnknown, HoldExpired, HoldReleased.
        """

        async def attempt(_: int) -> StoredHold:
            async with self._pool.acquire() as connection:
                return await self._move(connection, hold_id, moves)

        return await until_unmoved(attempt)

    async def assign(self, hold_id: UUID, preferences: Mapping[tuple[UUID, str], Preference | None]) -> StoredHold:
        """Give a seat to those of the named (passenger, flight) pairs who have none. Idempotent."""

        async def attempt(_: int) -> StoredHold:
            async with self._pool.acquire() as connection:
                hold = await live_hold(connection, hold_id)
                seating = await Seating.read(connection, self._fleet, [hold])
                given, notes = seating.plan(hold, preferences)
                if not given:
                    return hold
                new = [note for note in notes if note not in hold.notes]
                await store.move(connection, hold_id, given, stale=(), notes=(*hold.notes, *new), now=self._clock.now())
                return (await store.read_holds(connection, [hold_id]))[hold_id]

        return await until_unmoved(attempt)

    async def _move(self, connection: store.Connection, hold_id: UUID, moves: Sequence[Move]) -> StoredHold:
        now = self._clock.now()
        hold = await live_hold(connection, hold_id)
        rows = {(row.passenger_id, row.flight_id): row for row in hold.rows if row.live}
        aircraft = await store.read_aircraft(connection, {flight for _, flight, _ in moves})
        places = set()
        for index, (passenger, flight, designator) in enumerate(moves):
            row = rows.get((passenger, flight))
            if row is None:
                raise _invalid(index, "passenger_id", "This traveller has no place of this hold on this flight.")
            if (flight, designator) in places:
                raise _invalid(index, "designator", f"Seat {designator} is named for two travellers.")
            places.add((flight, designator))
            self._check(index, row, designator, aircraft[flight][0])
        moving = {rows[passenger, flight].designator for passenger, flight, _ in moves}
        owners = await store.read_owners(connection, places)
        for place, owner in list(owners.items()):
            if owner == str(hold_id) and place[1] in moving:
                del owners[place]
        stale = await store.read_stale(connection, {flight for flight, _ in owners}, now) if owners else {}
        for (flight, designator), owner in owners.items():
            if owner not in stale or owner == str(hold_id):
                raise SeatTaken(
                    f"Seat {designator} is taken; choose another one.", flight_id=flight, designator=designator
                )
        seats = [SeatGiven(hold_id, passenger, flight, designator) for passenger, flight, designator in moves]
        await store.move(connection, hold_id, seats, stale=set(owners.values()), notes=hold.notes, now=now)
        return (await store.read_holds(connection, [hold_id]))[hold_id]

    def _check(self, index: int, row: StoredRow, designator: str, aircraft: str) -> None:
        cabin: Cabin = row.cabin  # type: ignore[assignment]  # the database holds layout.CABINS
        seat: Seat | None = self._fleet.layout(aircraft).cabins[cabin].seats.get(designator)
        if seat is None or seat.blocked:
            raise _invalid(index, "designator", f"There is no seat {designator} for sale in this cabin.")
        if "exit_row" in seat.features and (row.under_12 or row.with_infant):
            raise _invalid(
                index, "designator", "Children, and adults with an infant on the lap, cannot sit in an exit row."
            )


async def live_hold(connection: store.Connection, hold_id: UUID) -> StoredHold:
    """The hold, which must be held or confirmed. Raises HoldUnknown, HoldExpired, HoldReleased."""
    hold = (await store.read_holds(connection, [hold_id])).get(hold_id)
    if hold is None:
        raise HoldUnknown("No hold has this id.")
    if hold.status == "expired":
        raise HoldExpired("The hold has expired.")
    if hold.status == "released":
        raise HoldReleased("The hold was released.")
    return hold


def _invalid(index: int, name: str, message: str) -> ValidationFailed:
    return ValidationFailed({"pointer": f"#/items/{index}/{name}", "code": "seat-not-possible", "message": message})
