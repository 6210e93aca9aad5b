"""What the inventory refuses, and how each refusal looks outside.

::

    DomainError
    ├── NotEnoughSeats      fewer seats are free than asked for
    ├── SeatTaken           somebody else has this seat
    ├── OfferMoved          a flight behind the offer changed
    ├── HoldReleased        given up, perhaps before it arrived (a tombstone)
    ├── HoldExpired         its time is over and its seats are gone
    ├── HoldUnknown         no hold has this id
    ├── HoldContentDiffers  the id was used for something else
    ├── InventoryBusy       too much contention; trying again will do
    └── FlightHasHolds      a cabin with holds or sold seats cannot be replaced
"""

from rihla.kernel import DomainError
from rihla.web import ProblemSpec


class NotEnoughSeats(DomainError):
    """Fewer seats are free in this cabin than the hold needs (data: flight_id, cabin, free_seats)."""


class SeatTaken(DomainError):
    """Somebody else has this seat (data: flight_id, designator)."""


class OfferMoved(DomainError):
    """A flight behind the offer changed since (data: current_offer)."""


class HoldReleased(DomainError):
    """The hold was released, perhaps before it arrived."""


class HoldExpired(DomainError):
    """The hold's time is over and its seats were given back."""


class HoldUnknown(DomainError):
    """No hold has this id."""


class HoldContentDiffers(DomainError):
    """The id was used for a hold with other content."""


class InventoryBusy(DomainError):
    """Others moved the same seats again and again; nothing was changed."""


class FlightHasHolds(DomainError):
    """Cabins with held or sold seats cannot be replaced (data: flight_id)."""


PROBLEMS: dict[type[DomainError], ProblemSpec] = {
    NotEnoughSeats: ProblemSpec(409, "not-enough-seats", "Not enough seats are left"),
    SeatTaken: ProblemSpec(409, "seat-taken", "The seat is taken"),
    OfferMoved: ProblemSpec(409, "offer-changed", "The offer has changed"),
    HoldReleased: ProblemSpec(409, "hold-released", "The hold was released"),
    HoldExpired: ProblemSpec(409, "hold-expired", "The hold has expired"),
    HoldUnknown: ProblemSpec(404, "hold-unknown", "There is no such hold"),
    HoldContentDiffers: ProblemSpec(422, "hold-content-differs", "The hold id was used with other content"),
    InventoryBusy: ProblemSpec(503, "inventory-busy", "Too many people are buying these seats", retry_after=1),
    FlightHasHolds: ProblemSpec(409, "flight-has-holds", "Seats of this flight are held or sold"),
}
