"""What a booking looks like on the wire, with examples; `wire.py` builds the same shape faster."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from rihla.web import MoneyModel, Page, RequestModel, Schema

PassengerType = Literal["adult", "child", "infant", "senior", "student"]
Status = Literal[
    "pending_payment", "confirmed", "expired", "cancelled", "partially_cancelled", "disrupted", "completed"
]


class Baggage(Schema):
    checked_kg: int = Field(examples=[20])
    cabin_kg: int = Field(examples=[7])


class Segment(Schema):
    """One flight. Local times carry the airport's own UTC offset."""

    flight_id: UUID
    flight_number: str = Field(examples=["RQ101"])
    airline: str = Field(examples=["RQ"])
    airline_name: str
    aircraft: str = Field(examples=["32N"])
    origin: str = Field(examples=["DAC"])
    destination: str = Field(examples=["JED"])
    departure_at: datetime = Field(examples=["2026-12-01T08:30:00+06:00"])
    arrival_at: datetime
    duration: str = Field(examples=["PT6H30M"])
    terminal: str | None
    gate: str | None
    status: str = Field(examples=["scheduled"])
    delay_minutes: int
    cabin: str = Field(examples=["economy"])
    fare_brand: str = Field(examples=["standard"])
    fare_class: str = Field(examples=["Y"])
    international: bool
    baggage: Baggage


class Slice(Schema):
    """One direction of the journey."""

    id: UUID
    origin: str
    destination: str
    departure_at: datetime
    arrival_at: datetime
    duration: str
    stops: int
    segments: list[Segment]


class Coupon(Schema):
    """One passenger on one segment."""

    id: UUID
    flight_id: UUID
    slice_id: UUID
    status: Literal["open", "checked_in", "flown", "refunded", "void"]
    seat: str | None = Field(examples=["12A"])
    e_ticket_number: str | None
    check_in_sequence: int | None
    checked_in_at: datetime | None


class ShownPassport(Schema):
    """The number is masked but for its last three characters."""

    number: str = Field(examples=["******456"])
    issuing_country: str | None
    nationality: str | None
    expires_on: date | None


class ShownVisa(Schema):
    country: str = Field(examples=["SA"])
    expires_on: date


class PassengerContact(Schema):
    email: str | None
    phone: str | None


class Passenger(Schema):
    id: UUID
    type: PassengerType
    title: str | None
    given_name: str
    surname: str
    date_of_birth: date | None
    gender: str | None
    passport: ShownPassport | None
    visas: list[ShownVisa]
    contact: PassengerContact | None
    seat_preference: str | None
    ssr: list[str]
    extra_bags: int
    accompanied_by: UUID | None = Field(description="The adult on whose lap this infant travels")
    e_ticket_number: str | None = Field(examples=["9010001000001"])
    coupons: list[Coupon]


class Tax(Schema):
    code: str
    name: str
    amount: MoneyModel


class PricePerType(Schema):
    type: str
    count: int
    total: MoneyModel


class PriceLine(Schema):
    """One line, of one passenger on one segment."""

    passenger_id: UUID
    flight_id: UUID
    kind: str
    code: str
    name: str
    amount: MoneyModel


class Price(Schema):
    """Adds up to the total by kind, by passenger type and line by line, to the last minor unit."""

    total: MoneyModel
    base: MoneyModel
    taxes: list[Tax]
    charges: MoneyModel
    seats: MoneyModel
    extras: MoneyModel
    discount: MoneyModel
    per_passenger: list[PricePerType]
    lines: list[PriceLine]


class Charge(Schema):
    id: UUID
    kind: Literal["initial", "extras", "change"]
    amount: MoneyModel
    status: Literal["due", "paid", "refunded", "void"]
    payable_until: datetime | None
    paid_at: datetime | None
    refunded: MoneyModel


class Refund(Schema):
    id: UUID
    charge_id: UUID
    amount: MoneyModel
    fee: MoneyModel
    reason: str
    status: Literal["requested", "pending", "succeeded", "failed"]
    destinations: list[dict[str, Any]]
    created_at: datetime


class RefundBracket(Schema):
    hours_before: int
    fee_percent: int


class FareRules(Schema):
    refundable: bool
    changeable: bool
    change_fee: MoneyModel | None
    checked_bag: bool
    seat_choice: str
    refund_brackets: list[RefundBracket]


class ShownContact(Schema):
    email: str | None
    phone: str | None
    locale: str


class Booking(Schema):
    """A trip that was sold, or is about to be."""

    id: UUID
    reference: str = Field(examples=["K7QX2M"], pattern=r"^[A-HJ-NP-Z2-9]{6}$")
    status: Status
    offer_id: str
    payment_required_by: datetime
    payment_seconds_left: int | None = Field(description="Seconds left to pay, while pending", examples=[873])
    total: MoneyModel
    price: Price
    slices: list[Slice]
    passengers: list[Passenger]
    charges: list[Charge]
    refunds: list[Refund]
    fare_rules: FareRules
    notes: list[str] = Field(description="What could not be met, such as a seat preference")
    contact: ShownContact
    promo_code: str | None
    subscription_id: UUID | None = Field(default=None, description="The plan whose rides pay for it")
    metadata: dict[str, str]
    version: int
    created_at: datetime
    confirmed_at: datetime | None
    expired_at: datetime | None
    cancelled_at: datetime | None
    completed_at: datetime | None


class BookingPage(Page[Booking]):
    """One page of bookings, newest first (past trips: latest first; upcoming: soonest first)."""


class BookingLookup(RequestModel):
    """What is printed on a ticket."""

    reference: str = Field(min_length=6, max_length=6, examples=["K7QX2M"])
    surname: str = Field(min_length=1, max_length=60, examples=["Rahman"])
