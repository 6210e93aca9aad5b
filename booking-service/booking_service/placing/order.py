"""What somebody asks to book, as a plain value that can be stored and driven to the end later by another process."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSeat:
    """A seat asked for by its designator (`12A`)."""

    flight_id: UUID
    designator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenExtra:
    """A bag, meal or other ancillary by flight-service's code; no flight means every segment."""

    code: str
    flight_id: UUID | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Passport:
    """`number` is whole until `sealed` holds it (`seal_order.py`), and masked from then on."""

    number: str
    issuing_country: str
    nationality: str
    expires_on: date
    sealed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visa:
    """Where it lets its holder in, and until which day."""

    country: str
    expires_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveller:
    """One passenger as asked for. The id is ours from the start, because the hold speaks of it."""

    id: UUID
    type: str
    title: str | None = None
    given_name: str
    surname: str
    date_of_birth: date
    gender: str | None = None
    passport: Passport | None = None
    visas: tuple[Visa, ...] = ()
    email: str | None = None
    phone: str | None = None
    seats: tuple[ChosenSeat, ...] = ()
    seat_preference: str | None = None
    ssr: tuple[str, ...] = ()
    extra_bags: int = 0
    extras: tuple[ChosenExtra, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The whole wish: an offer, who travels, how to reach them."""

    offer_id: str
    travellers: tuple[Traveller, ...]
    contact_email: str
    contact_phone: str | None = None
    locale: str = "en"
    promo_code: str | None = None
    subscription_id: UUID | None = None
    metadata: dict[str, str]

    def hold_lines(self) -> list[dict[str, Any]]:
        """The lines flight-service prices and holds (contracts.md). Equal orders give equal lines, which a repeat
        relies on.
        """
        return [_hold_line(traveller) for traveller in self.travellers]


BAG_CODE = "bag-20"
"""flight-service's code for one more checked bag of 20 kg."""


def _hold_line(traveller: Traveller) -> dict[str, Any]:
    extras = [
        {"code": one.code, "flight_id": str(one.flight_id) if one.flight_id else None, "quantity": one.quantity}
        for one in traveller.extras
    ]
    if traveller.extra_bags:
        extras.append({"code": BAG_CODE, "flight_id": None, "quantity": traveller.extra_bags})
    return {
        "passenger_id": str(traveller.id),
        "type": traveller.type,
        "date_of_birth": traveller.date_of_birth.isoformat(),
        "seats": [{"flight_id": str(one.flight_id), "designator": one.designator} for one in traveller.seats],
        "seat_preference": traveller.seat_preference,
        "extras": extras,
    }
