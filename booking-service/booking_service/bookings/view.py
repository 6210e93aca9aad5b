"""A booking as a plain value: everything an answer, a ticket or a rule may want to know, and no way to change it.

Instants are aware; `departure_at` and `arrival_at` carry the airport's own offset; money is in minor units of
`currency`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from booking_service.bookings.sealed_passport import masked
from booking_service.bookings.states import LIVE_COUPONS, BookingState, ChargeState, CouponState
from booking_service.placing.order import Visa


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentView:
    """One flight with one flight number, as it was sold and as the airline changed it since."""

    id: UUID
    flight_id: UUID
    slice_id: UUID
    slice_index: int
    segment_index: int
    flight_number: str
    airline: str
    airline_name: str
    accounting_code: str
    aircraft: str
    origin: str
    destination: str
    departure_at: datetime
    arrival_at: datetime
    duration_minutes: int
    terminal: str | None
    gate: str | None
    status: str
    cabin: str
    fare_brand: str
    fare_class: str
    international: bool
    baggage: dict[str, int]
    delay_minutes: int = 0
    replaced_at: datetime | None = None

    @property
    def checked_kg(self) -> int:
        """Checked baggage the fare includes, in kilograms."""
        return self.baggage.get("checked_kg", 0)

    @property
    def cabin_kg(self) -> int:
        """Cabin baggage the fare includes, in kilograms."""
        return self.baggage.get("cabin_kg", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceView:
    """One direction of the journey: segments that follow each other."""

    id: UUID
    slice_index: int
    hold_id: UUID
    fare_rules: dict[str, Any]
    segments: tuple[SegmentView, ...]

    @property
    def origin(self) -> str:
        return self.segments[0].origin

    @property
    def destination(self) -> str:
        return self.segments[-1].destination

    @property
    def departure_at(self) -> datetime:
        return self.segments[0].departure_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponView:
    """One passenger on one segment. `sequence` is the check-in sequence number of the flight, while checked in."""

    id: UUID
    passenger_id: UUID
    segment_id: UUID
    slice_id: UUID
    flight_id: UUID
    state: CouponState
    seat: str | None
    e_ticket_number: str | None = None
    sequence: int | None = None
    checked_in_at: datetime | None = None

    @property
    def status(self) -> str:
        return str(self.state)

    @property
    def live(self) -> bool:
        """Still to be flown."""
        return self.state in LIVE_COUPONS


@dataclass(frozen=True, slots=True, kw_only=True)
class PassengerView:
    """A traveller of this booking. Two with the same name are two: the id tells them apart."""

    id: UUID
    position: int
    type: str
    title: str | None
    given_name: str
    surname: str
    date_of_birth: date
    gender: str | None
    passport_masked: str | None
    passport_sealed: str | None
    passport_issuing_country: str | None
    passport_nationality: str | None
    passport_expires_on: date | None
    visas: tuple[Visa, ...]
    email: str | None
    phone: str | None
    seat_preference: str | None
    ssr: tuple[str, ...]
    extra_bags: int
    accompanied_by: UUID | None
    e_ticket_number: str | None
    coupons: tuple[CouponView, ...]
    # Of a row written before numbers were sealed, until `bookings/seal_passports.py` comes to it.
    passport_number: str | None = None

    @property
    def passport_shown(self) -> str | None:
        """The number as its owner may see it: all but the last characters masked."""
        return masked(self.passport_number) if self.passport_number else self.passport_masked


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLineView:
    """One line of the price, of one passenger on one segment; a discount is negative."""

    id: UUID
    charge_id: UUID
    passenger_id: UUID
    segment_id: UUID
    flight_id: UUID
    kind: str
    code: str
    name: str
    amount_minor: int
    refund_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeView:
    """What is or was to be paid."""

    id: UUID
    kind: str
    amount_minor: int
    currency: str
    state: ChargeState
    payable_until: datetime
    created_at: datetime
    paid_at: datetime | None = None
    payment_id: UUID | None = None
    payment_method: str | None = None
    refunded_minor: int = 0

    @property
    def status(self) -> str:
        return str(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """Money on its way back. `fee_minor` is what the fare rules kept of the same lines."""

    id: UUID
    charge_id: UUID
    amount_minor: int
    fee_minor: int
    currency: str
    reason: str
    state: str
    created_at: datetime
    settled_at: datetime | None = None
    destinations: tuple[dict[str, Any], ...] = ()

    @property
    def status(self) -> str:
        return self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingView:
    """The whole booking at one instant."""

    id: UUID
    reference: str
    user_id: UUID
    organisation_id: UUID | None
    state: BookingState
    hold_id: UUID
    offer_id: str
    payment_required_by: datetime
    currency: str
    total_minor: int
    contact_email: str
    contact_phone: str | None
    locale: str
    promo_code: str | None
    metadata: dict[str, str]
    notes: tuple[str, ...]
    version: int
    sequence: int
    test_mode: bool
    created_at: datetime
    slices: tuple[SliceView, ...]
    passengers: tuple[PassengerView, ...]
    price_lines: tuple[PriceLineView, ...]
    charges: tuple[ChargeView, ...]
    refunds: tuple[RefundView, ...] = ()
    state_before_disruption: BookingState | None = None
    confirmed_at: datetime | None = None
    expired_at: datetime | None = None
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None
    subscription_id: UUID | None = None
    seat_plan_id: UUID | None = None
    replaced_segments: tuple[SegmentView, ...] = field(default=())

    @property
    def status(self) -> str:
        return str(self.state)

    @property
    def fare_rules(self) -> dict[str, Any]:
        """The rules of the first slice, which are those of all slices until one is changed."""
        return self.slices[0].fare_rules

    @property
    def segments(self) -> tuple[SegmentView, ...]:
        """All segments still part of the journey, in the order they are flown."""
        return tuple(segment for one in self.slices for segment in one.segments)

    @property
    def coupons(self) -> tuple[CouponView, ...]:
        return tuple(coupon for one in self.passengers for coupon in one.coupons)

    def segment(self, flight_id: UUID) -> SegmentView | None:
        """The segment on this flight, if the booking has one."""
        return next((segment for segment in self.segments if segment.flight_id == flight_id), None)

    def passenger(self, passenger_id: UUID) -> PassengerView | None:
        """The passenger of this id, if the booking has one."""
        return next((one for one in self.passengers if one.id == passenger_id), None)

    @property
    def initial_charge(self) -> ChargeView:
        return next(charge for charge in self.charges if charge.kind == "initial")
