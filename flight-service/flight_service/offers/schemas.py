"""Offers as the API shows them. Search writes the same shape with msgspec; these models document and check it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from flight_service.catalogue.layout import Cabin
from flight_service.fares.rule_set import BrandName, PassengerType
from rihla.web import MoneyModel, Schema


class OfferSegment(Schema):
    """One flight. Times carry the airport's own UTC offset."""

    flight_id: UUID
    flight_number: str = Field(examples=["RQ101"])
    airline: str = Field(examples=["RQ"])
    aircraft: str = Field(examples=["32N"])
    origin: str = Field(examples=["DAC"])
    destination: str = Field(examples=["JED"])
    departure_at: datetime = Field(examples=["2026-12-01T08:30:00+06:00"])
    arrival_at: datetime = Field(examples=["2026-12-01T12:20:00+03:00"])
    duration: str = Field(examples=["PT6H50M"], description="ISO 8601")
    cabin: Cabin
    fare_brand: BrandName
    free_seats: int = Field(description="Seats of the cabin that can still be sold: the exact number", examples=[9])


class OfferSlice(Schema):
    """One journey from `origin` to `destination`."""

    origin: str
    destination: str
    duration: str = Field(description="From first departure to last arrival, ISO 8601", examples=["PT6H50M"])
    stops: int
    segments: list[OfferSegment]


class OfferTax(Schema):
    """A tax or charge, summed over the party and all segments."""

    code: str = Field(examples=["GB"])
    name: str = Field(examples=["Air Passenger Duty"])
    amount: MoneyModel


class TypePrice(Schema):
    """What all passengers of one type pay together."""

    type: PassengerType
    count: int
    total: MoneyModel


class OfferPrice(Schema):
    """`total` = `base` + taxes = the sum of `per_passenger`. It is complete for what the offer contains."""

    total: MoneyModel
    base: MoneyModel = Field(description="Fares after discounts")
    taxes: list[OfferTax]
    per_passenger: list[TypePrice]


class RefundStep(Schema):
    """At least `hours_before` the slice's departure a refund costs `fee_percent` of the fare."""

    hours_before: int
    fee_percent: int


class OfferFees(Schema):
    change: MoneyModel | None = Field(description="For each passenger and slice; null: not changeable")
    refund: list[RefundStep]


class OfferBags(Schema):
    checked_kg: int
    cabin_kg: int


class OfferRules(Schema):
    """What the fare brand allows."""

    changeable: bool
    refundable: bool
    fees: OfferFees
    bags: OfferBags
    seat_choice: Literal["free", "paid", "none"]


class Offer(Schema):
    """Something that can be booked at this price until `expires_at`."""

    id: str = Field(examples=["AWj3..."])
    expires_at: datetime
    slices: list[OfferSlice]
    airport_change: bool = Field(
        description="A slice begins at another airport of the city where the one before it ended. "
        "Within a slice every connection is made at one airport"
    )
    price: OfferPrice
    fare_rules: OfferRules
    average_rating: float | None = Field(
        default=None, description="1-5, from travellers of these flights; null: none yet"
    )
    review_count: int = Field(default=0, ge=0, description="How many reviews `average_rating` speaks for")


class OneWayOffer(Offer):
    """One journey."""

    slices: list[OfferSlice] = Field(min_length=1, max_length=1)


class ReturnOffer(Offer):
    """The way out, then the way back."""

    slices: list[OfferSlice] = Field(min_length=2, max_length=2)


class MultiCityOffer(Offer):
    """The journeys in the order asked for."""

    slices: list[OfferSlice] = Field(min_length=2, max_length=6)


class _Page(Schema):
    next_cursor: str | None = None
    cabin: Cabin = Field(description="The cabin searched")
    currency: str
    notes: list[str] = Field(default_factory=list, description="What the search did beyond what was asked")


class OneWayPage(_Page):
    """One page of a search for one journey."""

    journey: Literal["one_way"]
    items: list[OneWayOffer]


class ReturnPage(_Page):
    """One page of a search for a way out and the way back: GET with `return_date`, or two opposite slices."""

    journey: Literal["return"]
    items: list[ReturnOffer]


class MultiCityPage(_Page):
    """One page of a search for any other two to six slices."""

    journey: Literal["multi_city"]
    items: list[MultiCityOffer]


OfferPage = Annotated[OneWayPage | ReturnPage | MultiCityPage, Field(discriminator="journey")]
"""One page of a search; `journey` says which of the three shapes it has."""


class PriceLineView(Schema):
    """One line of a price, for one passenger."""

    kind: Literal["base", "discount", "tax", "charge"]
    code: str
    name: str
    amount: MoneyModel


class PriceFactor(Schema):
    """One step from the published fare to the fare of this offer."""

    name: str = Field(examples=["Seats taken: 63 %"])
    multiplier: str = Field(examples=["1.0800"])


class SegmentBreakdown(Schema):
    """How one passenger's price on one flight is made."""

    flight_id: UUID
    type: PassengerType
    published_fare: MoneyModel
    factors: list[PriceFactor]
    lines: list[PriceLineView]
    total: MoneyModel


class ServicePrice(Schema):
    flight_id: UUID
    price: MoneyModel


class Service(Schema):
    """An extra that can be added for each passenger, on each flight."""

    code: str = Field(examples=["bag-20"])
    name: str
    kg: int | None = None
    max_quantity: int
    prices: list[ServicePrice]


class SeatService(Schema):
    """Prices of choosing a seat on a flight; the seat map shows which seat is which."""

    flight_id: UUID
    seat_choice: Literal["free", "paid", "none"]
    standard: MoneyModel
    preferred: MoneyModel
    exit_row: MoneyModel
    extra_legroom: MoneyModel


class Services(Schema):
    bags: list[Service]
    seats: list[SeatService]
    meals: list[Service]
    other: list[Service]


class RefundUntil(Schema):
    """What comes back for one slice when it is given up until an instant; unused airport taxes always do."""

    until: datetime
    hours_before: int
    fee_percent: int
    fee: MoneyModel
    refund: MoneyModel


class SliceRefunds(Schema):
    slice_index: int
    schedule: list[RefundUntil]


class FareOption(Schema):
    """The same flights under another brand."""

    fare_brand: BrandName
    offer_id: str
    total: MoneyModel
    fare_rules: OfferRules


class OfferDetail(Offer):
    """An offer with everything a person needs before buying."""

    breakdown: list[SegmentBreakdown]
    services: Services
    refund_schedule: list[SliceRefunds]
    fare_options: list[FareOption] = Field(description="All brands of these flights, at today's price")
