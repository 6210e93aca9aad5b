"""The hold desk of a process: what the routes call. It owns the two writers that group what is waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from flight_service.inventory import store
from flight_service.inventory.change_seats import ChangeSeats, Move, live_hold
from flight_service.inventory.confirm_hold import ConfirmHolds
from flight_service.inventory.hold import (
    HoldContent,
    HoldLine,
    Preference,
    PreparedHold,
    StoredHold,
    answer,
    answer_stored,
    fingerprint,
)
from flight_service.inventory.hold_seats import HoldSeats, Outcome, Taken, again
from flight_service.inventory.prepare_hold import Offers, OfferShelf, check_and_price, prepare_hold
from flight_service.inventory.problems import HoldExpired, HoldUnknown, InventoryBusy, NotEnoughSeats, OfferMoved
from flight_service.inventory.quote_additions import quote_additions
from flight_service.inventory.reinstate_hold import ReinstateHold
from flight_service.inventory.release_hold import Item, release_hold
from flight_service.inventory.schemas import ExtrasLine
from flight_service.inventory.seating import Fleet
from rihla.db.group_writer import GroupWriter
from rihla.kernel import Clock, DomainError

_LARGEST_CONFIRMATION = 32


def _busy() -> InventoryBusy:
    return InventoryBusy("Too many people are buying at this moment; try again in a second.")


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to a PUT; `new` when this request put the hold on the inventory."""

    body: bytes
    new: bool


class HoldDesk:
    """Everything booking-service asks of the inventory. One for each process."""

    def __init__(self, pool: "asyncpg.Pool[Any]", clock: Clock, offers: Offers, fleet: Fleet) -> None:
        self._pool = pool
        self._clock = clock
        self._offers = offers
        self._shelf = OfferShelf(offers)
        self._reinstate = ReinstateHold(pool, clock)
        self._change = ChangeSeats(pool, clock, fleet)
        self._hold_seats = HoldSeats(pool, clock)
        self._confirm_holds = ConfirmHolds(pool, fleet)
        self._holds: GroupWriter[PreparedHold, Taken] = GroupWriter(
            "hold", self._hold_seats.group, keys=lambda hold: frozenset((hold.id,)), full=_busy
        )
        self._confirmations: GroupWriter[UUID, StoredHold] = GroupWriter(
            "confirm",
            self._confirm_holds.group,
            keys=lambda id_: frozenset((id_,)),
            full=_busy,
            largest_group=_LARGEST_CONFIRMATION,
        )

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._holds.close()
        await self._confirmations.close()
        await self._hold_seats.close()
        await self._confirm_holds.close()

    async def place(self, hold_id: UUID, content: HoldContent) -> Placed:
        """Hold every segment or none. The same id and content get the same answer, whatever became of the offer since.

        Raises what opening and pricing the offer raises, OfferMoved (with `current_offer`), NotEnoughSeats, SeatTaken,
        HoldReleased, HoldExpired, HoldContentDiffers, InventoryBusy.
        """
        now = self._clock.now()
        try:
            ready = await self._shelf.open(content.offer_id, now)
            hold = prepare_hold(hold_id, content, ready, now)
        except DomainError:
            known = await self._known(hold_id, content)
            if known is None:
                raise
            return known
        try:
            taken = await self._holds.submit(hold)
        except OfferMoved as moved:
            self._shelf.forget(content.offer_id)
            current = await self._offers.current(content.offer_id)
            raise OfferMoved(moved.detail, **moved.data, current_offer=current) from moved
        if not taken.new:
            return Placed(await self.show(hold_id), new=False)
        seats = ((row.passenger_id, row.flight_id, row.designator) for row in hold.rows if row.designator)
        return Placed(answer(hold.id, "held", hold.expires_at, hold.priced, seats, ()), new=True)

    async def _known(self, hold_id: UUID, content: HoldContent) -> Placed | None:
        """The answer to a repeat whose offer can no longer be opened; None when the id is not in use."""
        async with self._pool.acquire() as connection:
            known = await store.read_known(connection, hold_id)
        if known is None:
            return None
        outcome: Outcome = again(fingerprint(content), known)
        if isinstance(outcome, Exception):
            raise outcome
        return Placed(await self.show(hold_id), new=False)

    async def quote(self, offer_id: str, lines: Sequence[HoldLine]) -> bytes:
        """What a hold would cost now: its answer without id, status and seats. Holds nothing."""
        ready = await self._shelf.open(offer_id, self._clock.now())
        return b'{"seats":[],"notes":[],' + ready.priced(check_and_price(lines, ready.opened))[1:].encode()

    async def quote_extras(self, hold_id: UUID, lines: Sequence[ExtrasLine]) -> bytes:
        """What seats and extras would cost at present prices. Raises HoldUnknown, HoldExpired, HoldReleased and the
        errors of `price_additions`.
        """
        async with self._pool.acquire() as connection:
            hold = await live_hold(connection, hold_id)
        return quote_additions(hold, lines, self._offers)

    async def show(self, hold_id: UUID) -> bytes:
        """The hold as it is. Raises HoldUnknown."""
        async with self._pool.acquire() as connection:
            hold = (await store.read_holds(connection, [hold_id])).get(hold_id)
        if hold is None:
            raise HoldUnknown("No hold has this id.")
        return answer_stored(hold)

    async def confirm(self, hold_id: UUID) -> bytes:
        """Sell what is held. A hold that was swept still confirms when the very same seats are free. Raises
        HoldExpired,
        HoldReleased, HoldUnknown, InventoryBusy."""
        try:
            return answer_stored(await self._confirmations.submit(hold_id))
        except HoldExpired as expired:
            try:
                await self._reinstate(hold_id, self._clock.now(), same_seats=True)
            except NotEnoughSeats:
                raise expired from None
        return answer_stored(await self._confirmations.submit(hold_id))

    async def release(self, hold_id: UUID, items: Sequence[Item] | None) -> bytes:
        """Give back all seats or those of some travellers on some flights; an unknown id leaves a tombstone."""
        return answer_stored(await release_hold(self._pool, self._clock, hold_id, items))

    async def reinstate(self, hold_id: UUID, expires_at: datetime) -> bytes:
        """Hold again what was given up unpaid. Raises NotEnoughSeats, HoldReleased, HoldUnknown."""
        return answer_stored(await self._reinstate(hold_id, expires_at))

    async def move_seats(self, hold_id: UUID, moves: Sequence[Move]) -> bytes:
        """Put travellers on the seats they chose, all or none."""
        return answer_stored(await self._change.move(hold_id, moves))

    async def assign_seats(self, hold_id: UUID, preferences: Mapping[tuple[UUID, str], Preference | None]) -> bytes:
        """Give seats to those who have none."""
        return answer_stored(await self._change.assign(hold_id, preferences))
