"""Who of a group of waiting holds gets seats: the rule, on plain values read from the database a moment ago.

Holds are decided in the order they came. Each is all or nothing, and one that is refused changes nothing for the
others. Seats of expired holds are taken only when they are needed, oldest first; whoever takes one gives back all its
other seats. Nothing here is final: the database takes the outcome only while what was read still holds (ADR 0003).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from flight_service.inventory.hold import Cabin, Place, PreparedHold


@dataclass(slots=True)
class CabinRead:
    """A cabin as it was read. `open` says that its flight still takes holds."""

    free: int
    version: int
    offer_version: int
    open: bool


@dataclass(frozen=True, slots=True)
class StaleHold:
    """A hold whose time is over and whose seats nobody has taken yet."""

    id: str
    seats: Mapping[Cabin, int]


@dataclass(slots=True)
class Snapshot:
    """What was read for one group. `owners`: hold id of each wanted seat that has a live owner."""

    cabins: dict[Cabin, CabinRead]
    owners: dict[Place, str]
    stale: dict[str, StaleHold] = field(default_factory=dict)
    flash_left: dict[UUID, int] = field(default_factory=dict)
    rules_version: int | None = None
    """Of the fare rules in force; None where none are loaded."""


@dataclass(frozen=True, slots=True)
class FlightMoved:
    """The offer is no longer what the flight sells."""

    flight_id: str


@dataclass(frozen=True, slots=True)
class RulesMoved:
    """An admin has put other fare rules in force."""


@dataclass(frozen=True, slots=True)
class FlashSoldOut:
    """A price counted by stock is used up."""

    sale_id: UUID


@dataclass(frozen=True, slots=True)
class SeatOwned:
    """Somebody else has this seat."""

    place: Place


@dataclass(frozen=True, slots=True)
class CabinFull:
    """Fewer seats are left than the hold needs."""

    cabin: Cabin
    left: int


Refusal = FlightMoved | RulesMoved | FlashSoldOut | SeatOwned | CabinFull


@dataclass(slots=True)
class Allotment:
    """The outcome for a group: a refusal or None for each hold, and what the accepted ones take together."""

    refusals: list[Refusal | None] = field(default_factory=list)
    takes: dict[Cabin, int] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)

    @property
    def needs_stale(self) -> bool:
        """Whether somebody was refused for what an expired hold might give."""
        return any(isinstance(refusal, SeatOwned | CabinFull) for refusal in self.refusals)


def allot(group: Sequence[PreparedHold], read: Snapshot) -> Allotment:
    """Decide a group of holds with different ids. Changes `read` to what is left."""
    outcome = Allotment()
    for hold in group:
        refusal = _decide(hold, read, outcome)
        outcome.refusals.append(refusal)
        if refusal is None:
            _apply(hold, read, outcome)
    return outcome


def _decide(hold: PreparedHold, read: Snapshot, outcome: Allotment) -> Refusal | None:
    if hold.rules_version and read.rules_version not in (None, hold.rules_version):
        return RulesMoved()
    for flight_id, offer_version in hold.flights:
        known = next((read.cabins.get(cabin) for cabin, _ in hold.takes if cabin[0] == flight_id), None)
        if known is None or not known.open or known.offer_version != offer_version:
            return FlightMoved(flight_id)
    for sale_id, uses in hold.flash_uses:
        if read.flash_left.get(sale_id, 0) < uses:
            return FlashSoldOut(sale_id)
    taking: set[str] = set()
    for row in hold.rows:
        owner = read.owners.get((row.flight_id, row.designator)) if row.designator else None
        if owner is not None and owner not in outcome.stale:
            if owner not in read.stale:
                return SeatOwned((row.flight_id, row.designator or ""))
            taking.add(owner)
    for cabin, wanted in hold.takes:
        left = read.cabins[cabin].free + _given(cabin, taking, read)
        for stale in _others(cabin, taking, read, outcome) if left < wanted else ():
            taking.add(stale.id)
            left += stale.seats[cabin]
            if left >= wanted:
                break
        if left < wanted:
            return CabinFull(cabin, left)
    _give_back(taking, read, outcome)
    return None


def _given(cabin: Cabin, taking: Iterable[str], read: Snapshot) -> int:
    return sum(read.stale[id_].seats.get(cabin, 0) for id_ in taking)


def _others(cabin: Cabin, taking: set[str], read: Snapshot, outcome: Allotment) -> list[StaleHold]:
    return [
        stale
        for stale in read.stale.values()
        if cabin in stale.seats and stale.id not in taking and stale.id not in outcome.stale
    ]


def _give_back(taking: set[str], read: Snapshot, outcome: Allotment) -> None:
    outcome.stale |= taking
    for id_ in taking:
        for cabin, seats in read.stale[id_].seats.items():
            if cabin in read.cabins:
                read.cabins[cabin].free += seats


def _apply(hold: PreparedHold, read: Snapshot, outcome: Allotment) -> None:
    for cabin, wanted in hold.takes:
        read.cabins[cabin].free -= wanted
        outcome.takes[cabin] = outcome.takes.get(cabin, 0) + wanted
    for sale_id, uses in hold.flash_uses:
        read.flash_left[sale_id] -= uses
    for row in hold.rows:
        if row.designator:
            read.owners[row.flight_id, row.designator] = str(hold.id)
