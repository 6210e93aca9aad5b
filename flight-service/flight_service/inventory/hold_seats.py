"""The deed behind PUT /internal/v1/holds/{hold_id}: put checked and priced holds on the inventory, many in one
transaction.

Two round trips for a group: read (no lock), decide in `rules.allot`, write under the versions that were read. When one
of them moved, everything is read and decided again, a bounded number of times and with growing jitter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from flight_service.inventory import store
from flight_service.inventory.hold import PreparedHold
from flight_service.inventory.problems import (
    HoldContentDiffers,
    HoldExpired,
    HoldReleased,
    NotEnoughSeats,
    OfferMoved,
    SeatTaken,
)
from flight_service.inventory.retrying import until_unmoved
from flight_service.inventory.rules import (
    Allotment,
    CabinFull,
    FlashSoldOut,
    FlightMoved,
    Refusal,
    RulesMoved,
    SeatOwned,
    Snapshot,
    allot,
)
from flight_service.inventory.writer_connection import writer_connection
from rihla.kernel import Clock, DomainError
from rihla.telemetry import get_logger
from rihla.web.outages import is_outage

log = get_logger("inventory")


@dataclass(frozen=True, slots=True)
class Taken:
    """The hold is on the inventory: by this request (`new`) or by the same one before."""

    new: bool


Outcome = Taken | Exception


class HoldSeats:
    """Writes groups of holds. `group` is what the process's one writer calls."""

    def __init__(self, pool: "asyncpg.Pool[Any]", clock: Clock) -> None:
        self._connection = writer_connection(pool)
        self._clock = clock

    async def close(self) -> None:
        """Give the connection back."""
        await self._connection.close()

    async def group(self, holds: Sequence[PreparedHold]) -> list[Outcome]:
        """An outcome for each hold, in order. A hold that breaks its statement fails alone: the others go on without
        it.
        """
        try:
            return await self._take(holds)
        except Exception as error:
            if len(holds) == 1:
                return [error]
            if is_outage(error):
                return [error] * len(holds)
            log.warning("group_taken_apart", error=type(error).__name__, holds=len(holds))
        return [outcome for hold in holds for outcome in await self.group([hold])]

    async def _take(self, holds: Sequence[PreparedHold]) -> list[Outcome]:
        async def attempt(number: int) -> list[Outcome]:
            async with self._connection.use() as connection:
                return await self._try(connection, holds, patient=number > 0)

        return await until_unmoved(attempt)

    async def _try(
        self, connection: store.Connection, holds: Sequence[PreparedHold], *, patient: bool
    ) -> list[Outcome]:
        now = self._clock.now()
        known, read = await store.read_group(connection, holds, now)
        fresh = [hold for hold in holds if str(hold.id) not in known] if known else holds
        versions = {cabin: found.version for cabin, found in read.cabins.items()}
        allotment = await self._decide(connection, fresh, read)
        accepted = [hold for hold, refusal in zip(fresh, allotment.refusals, strict=True) if refusal is None]
        if accepted:
            await store.take(
                connection,
                accepted,
                takes=[(cabin, seats, versions[cabin]) for cabin, seats in allotment.takes.items()],
                stale=allotment.stale,
                now=now,
                patient=patient,
            )
        answers: dict[Any, Outcome] = {
            hold.id: Taken(new=True) if refusal is None else _refused(refusal)
            for hold, refusal in zip(fresh, allotment.refusals, strict=True)
        }
        return [
            answers[hold.id] if hold.id in answers else again(hold.fingerprint, known[str(hold.id)]) for hold in holds
        ]

    async def _decide(self, connection: store.Connection, fresh: Sequence[PreparedHold], read: Snapshot) -> Allotment:
        """Decide; and if somebody would be refused, decide again knowing what expired holds could give."""
        cabins = {cabin: (found.free, found.version) for cabin, found in read.cabins.items()}
        owners = dict(read.owners)
        flash_left = dict(read.flash_left)
        allotment = allot(fresh, read)
        if not allotment.needs_stale:
            return allotment
        short = [hold for hold, refusal in zip(fresh, allotment.refusals, strict=True) if refusal is not None]
        stale = await store.read_stale(
            connection, (cabin[0] for hold in short for cabin, _ in hold.takes), self._clock.now()
        )
        if not stale:
            return allotment
        for cabin, (free, _) in cabins.items():
            read.cabins[cabin].free = free
        read.owners, read.flash_left, read.stale = owners, flash_left, stale
        return allot(fresh, read)


def again(fingerprint: bytes, known: store.KnownHold) -> Outcome:
    """The id is in use already: the same request again, or something else under its name."""
    if known.fingerprint is None:
        return HoldReleased("This hold was released before it arrived; start again with a new one.")
    if known.fingerprint != fingerprint.hex():
        return HoldContentDiffers("This hold id was used with other content; use a new id for a new hold.")
    if known.status == "released":
        return HoldReleased("This hold was released; start again with a new one.")
    if known.status == "expired":
        return HoldExpired("This hold has expired; reinstate it or start again with a new one.")
    return Taken(new=False)


def _refused(refusal: Refusal) -> DomainError:
    match refusal:
        case FlightMoved(flight_id):
            return OfferMoved("The offer has changed since it was made.", flight_id=flight_id)
        case RulesMoved():
            return OfferMoved("The fares have changed since the offer was made.")
        case FlashSoldOut():
            return OfferMoved("The last seats at this price have just been sold.")
        case SeatOwned((flight_id, designator)):
            return SeatTaken(
                f"Seat {designator} has just been taken; choose another one.",
                flight_id=flight_id,
                designator=designator,
            )
        case CabinFull((flight_id, cabin), left):
            return NotEnoughSeats(_seats_left(left, cabin), flight_id=flight_id, cabin=cabin, free_seats=left)


def _seats_left(left: int, cabin: str) -> str:
    name = cabin.replace("_", " ")
    if left == 0:
        return f"No seat is left in {name} on this flight; choose another offer."
    return f"Only {left} {'seat is' if left == 1 else 'seats are'} left in {name} on this flight; choose another offer."
