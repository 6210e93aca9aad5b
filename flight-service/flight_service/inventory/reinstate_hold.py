"""The deed behind POST .../reinstate: a late payment came for a hold whose seats were given back unpaid.

The travellers get the same seats where they are free, otherwise any seat of the same cabin, at the locked price; all
or nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from flight_service.inventory import store
from flight_service.inventory.hold import Cabin, StoredHold, StoredRow
from flight_service.inventory.problems import HoldReleased, HoldUnknown, NotEnoughSeats
from flight_service.inventory.retrying import until_unmoved
from flight_service.inventory.rules import StaleHold
from rihla.kernel import Clock


@dataclass(frozen=True, slots=True)
class _Return:
    """What it takes to bring a hold back: expired holds that must give way, and rows whose seat is somebody else's
    now.
    """

    stale: frozenset[str]
    lost: tuple[StoredRow, ...]


class ReinstateHold:
    """Brings back holds that were given up unpaid."""

    def __init__(self, pool: "asyncpg.Pool[Any]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def __call__(self, hold_id: UUID, expires_at: datetime, *, same_seats: bool = False) -> StoredHold:
        """The hold, held again until `expires_at`; one that is still held lasts at least as long; a confirmed one is
        left alone.

        Raises HoldUnknown, HoldReleased (released for good, or a tombstone) and NotEnoughSeats; with `same_seats` also
        when a
        chosen seat is somebody else's.
        """

        async def attempt(_: int) -> StoredHold:
            async with self._pool.acquire() as connection:
                return await self._try(connection, hold_id, expires_at, same_seats)

        return await until_unmoved(attempt)

    async def _try(
        self, connection: store.Connection, hold_id: UUID, expires_at: datetime, same_seats: bool
    ) -> StoredHold:
        now = self._clock.now()
        hold = (await store.read_holds(connection, [hold_id])).get(hold_id)
        if hold is None:
            raise HoldUnknown("No hold has this id.")
        if hold.status == "held":
            if not await store.extend(connection, hold_id, expires_at):
                raise store.Moved
        elif hold.status != "confirmed":
            coming = await self._plan(connection, hold, now)
            if coming.lost and same_seats:
                raise NotEnoughSeats("Somebody else has a seat of this hold now.")
            notes = (*hold.notes, *(_lost(row) for row in coming.lost))
            await store.reinstate(
                connection, hold, expires_at=expires_at, stale=coming.stale, lost=coming.lost, notes=notes, now=now
            )
        return (await store.read_holds(connection, [hold_id]))[hold_id]

    async def _plan(self, connection: store.Connection, hold: StoredHold, now: datetime) -> _Return:
        coming = [row for row in hold.rows if row.state == "returned"]
        if not coming:
            raise HoldReleased("The hold was released for good and cannot be reinstated.")
        wanted: dict[Cabin, int] = {}
        for row in coming:
            wanted[row.flight_id, row.cabin] = wanted.get((row.flight_id, row.cabin), 0) + 1
        cabins = await store.read_cabins(connection, wanted, now)
        for cabin in wanted:
            if cabin not in cabins or not cabins[cabin].open:
                raise NotEnoughSeats(
                    "A flight of this hold can no longer be sold.", flight_id=cabin[0], cabin=cabin[1], free_seats=0
                )
        places = {(row.flight_id, row.designator) for row in coming if row.designator}
        owners = await store.read_owners(connection, places) if places else {}
        short = any(cabins[cabin].free < seats for cabin, seats in wanted.items())
        stale = await store.read_stale(connection, (flight for flight, _ in wanted), now) if short or owners else {}
        taking = {owner for owner in owners.values() if owner in stale}
        for cabin, seats in wanted.items():
            _take_stale(cabin, seats, cabins[cabin].free, stale, taking)
        lost = tuple(row for row in coming if owners.get((row.flight_id, row.designator or "")) not in (None, *taking))
        return _Return(frozenset(taking), lost)


def _take_stale(cabin: Cabin, seats: int, free: int, stale: Mapping[str, StaleHold], taking: set[str]) -> None:
    """Add to `taking` until the cabin has room. Raises NotEnoughSeats when it never will."""
    left = free + sum(stale[id_].seats.get(cabin, 0) for id_ in taking)
    for hold in stale.values():
        if left >= seats:
            return
        if cabin in hold.seats and hold.id not in taking:
            taking.add(hold.id)
            left += hold.seats[cabin]
    if left < seats:
        raise NotEnoughSeats(
            "The seats of this hold have been sold meanwhile.", flight_id=cabin[0], cabin=cabin[1], free_seats=left
        )


def _lost(row: StoredRow) -> str:
    return f"Seat {row.designator} was given to somebody else meanwhile; another seat is given at confirmation."
