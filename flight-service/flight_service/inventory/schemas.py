"""The hold as OpenAPI shows it. The hottest route (PUT) reads and writes with msgspec; these models document and
explain it.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from rihla.web import RequestModel, Schema

Preference = Literal["window", "aisle", "middle"]
Designator = Annotated[str, Field(pattern=r"^[1-9][0-9]?[A-Z]$", examples=["12A"])]


class SeatChoiceModel(RequestModel):
    """A seat a traveller chose."""

    flight_id: UUID
    designator: Designator


class ExtraModel(RequestModel):
    """An extra; on every segment when `flight_id` is null."""

    code: Annotated[str, Field(min_length=1, max_length=40, examples=["bag-20"])]
    flight_id: UUID | None = None
    quantity: Annotated[int, Field(ge=1, le=20)] = 1


class HoldLineModel(RequestModel):
    """One traveller."""

    passenger_id: UUID
    type: Literal["adult", "child", "infant", "senior", "student"]
    date_of_birth: date
    seats: tuple[SeatChoiceModel, ...] = ()
    seat_preference: Preference | None = None
    extras: tuple[ExtraModel, ...] = ()


class HoldRequest(RequestModel):
    """What PUT takes."""

    offer_id: Annotated[str, Field(min_length=1, max_length=2048)]
    expires_at: AwareDatetime
    lines: Annotated[list[HoldLineModel], Field(min_length=1, max_length=10)]


class HoldPlacementModel(RequestModel):
    """One of many holds: its id and what its PUT would take."""

    id: UUID
    hold: HoldRequest


class HoldPlacements(RequestModel):
    """Holds to be placed together, each by itself: one may be refused and the next held."""

    placements: Annotated[list[HoldPlacementModel], Field(min_length=1, max_length=64)]


class HoldConfirmationModel(RequestModel):
    """One of many holds that are paid."""

    id: UUID


class HoldConfirmations(RequestModel):
    """Holds to be sold together, each by itself: one may be lost and the next sold."""

    confirmations: Annotated[list[HoldConfirmationModel], Field(min_length=1, max_length=64)]


class HoldQuoteRequest(RequestModel):
    """What a quote takes."""

    offer_id: Annotated[str, Field(min_length=1, max_length=2048)]
    lines: Annotated[list[HoldLineModel], Field(min_length=1, max_length=10)]


class ExtrasLine(RequestModel):
    """What one traveller wants to add."""

    passenger_id: UUID
    seats: tuple[SeatChoiceModel, ...] = ()
    extras: tuple[ExtraModel, ...] = ()


class ExtrasQuoteRequest(RequestModel):
    """Seats and extras to add after purchase."""

    lines: Annotated[list[ExtrasLine], Field(min_length=1, max_length=10)]


class PassengerOnFlight(RequestModel):
    """One traveller on one flight."""

    passenger_id: UUID
    flight_id: UUID


class ReleaseRequest(RequestModel):
    """What to give back; everything when `items` is null."""

    items: Annotated[list[PassengerOnFlight], Field(min_length=1, max_length=120)] | None = None


class ReinstateRequest(RequestModel):
    """Until when the hold is wanted back."""

    expires_at: AwareDatetime


class AssignItem(PassengerOnFlight):
    """Somebody to be seated."""

    preference: Preference | None = None


class AssignRequest(RequestModel):
    """Who is to be seated."""

    items: Annotated[list[AssignItem], Field(min_length=1, max_length=120)]


class MoveItem(PassengerOnFlight):
    """Who moves where."""

    designator: Designator


class MoveRequest(RequestModel):
    """Seat changes, all or none."""

    items: Annotated[list[MoveItem], Field(min_length=1, max_length=120)]


class PriceLineModel(Schema):
    """A part of the price, of one passenger and one segment, in minor units."""

    passenger_id: UUID
    flight_id: UUID
    kind: Literal["base", "tax", "charge", "seat", "extra", "discount"]
    code: str
    name: str
    amount_minor: int
    refund_class: Literal["fare", "airport_tax", "extra"]


class ExtrasQuoteModel(Schema):
    """What the additions cost now."""

    currency: str
    total_minor: int
    price_lines: list[PriceLineModel]


class SeatModel(Schema):
    """A seat and its owner."""

    passenger_id: UUID
    flight_id: UUID
    designator: str


class HoldQuoteModel(Schema):
    """What a hold would cost."""

    offer_id: str | None
    currency: str | None
    total_minor: int | None
    segments: list[dict[str, Any]] = Field(description="Flights in order, as docs/contracts.md shows them")
    fare_rules: dict[str, Any] | None
    price_lines: list[PriceLineModel] = Field(description="Their sum is `total_minor`")
    seats: list[SeatModel]
    notes: list[str] = Field(description="What could not be met")


class HoldModel(HoldQuoteModel):
    """A hold. A tombstone (released before it arrived) has no offer, price or end."""

    id: UUID
    status: Literal["held", "confirmed", "released", "expired"]
    expires_at: datetime | None


class HoldOutcome(Schema):
    """What became of one of many holds: the hold (201 new, 200 the same again) or the problem its own route
    would answer.
    """

    status: int
    hold: HoldModel | None = None
    problem: dict[str, Any] | None = None


class HoldOutcomes(Schema):
    """In the order asked. Null where only the hold's own route can say what is wrong."""

    outcomes: list[HoldOutcome | None]
