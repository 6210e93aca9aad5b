"""Events of booking-service; the aggregate is the booking. They are sufficient for a consumer that never calls back."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from rihla.contracts.events.envelope import EventData


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SegmentFact(_Part):
    """One flight of the itinerary; local times carry the airport's own offset."""

    flight_id: UUID
    slice_index: int
    segment_index: int
    flight_number: str
    airline: str
    airline_name: str = ""
    origin: str
    destination: str
    departure_at: datetime
    arrival_at: datetime
    cabin: str
    fare_brand: str
    terminal: str | None = None
    gate: str | None = None


class CouponFact(_Part):
    """One passenger on one segment."""

    flight_id: UUID
    status: str
    seat: str | None = None
    sequence: int | None = None


class VisaFact(_Part):
    """Where it lets its holder in, and until which day."""

    country: str
    expires_on: date


class PassengerFact(_Part):
    passenger_id: UUID
    type: str
    given_name: str
    surname: str
    e_ticket_number: str | None = None
    email: str | None = None
    """Beside the booking's contact, so that passengers with an account of their own hear of their flight too."""
    phone: str | None = None
    passport_expires_on: date | None = None
    """So that its owner hears in time; neither number nor nationality leaves booking-service."""
    visas: tuple[VisaFact, ...] = ()
    coupons: tuple[CouponFact, ...] = ()


class ContactFact(_Part):
    email: str | None = None
    phone: str | None = None


class _BookingEvent(EventData):
    producer: ClassVar[str] = "booking"
    booking_id: UUID
    reference: str
    user_id: UUID
    locale: str = "en"
    contact: ContactFact = ContactFact()
    total_minor: int = 0
    currency: str = "USD"
    segments: tuple[SegmentFact, ...] = ()
    passengers: tuple[PassengerFact, ...] = ()
    test_mode: bool = False
    organisation_id: UUID | None = None
    """The partner whose key made the booking."""


class BookingCreatedV1(_BookingEvent):
    """Seats are held at a locked price until `payment_required_by`."""

    event_type: ClassVar[str] = "booking.created.v1"
    payment_required_by: datetime


class BookingConfirmedV1(_BookingEvent):
    """The booking is paid and its seats are sold; documents follow."""

    event_type: ClassVar[str] = "booking.confirmed.v1"
    confirmed_at: datetime
    late: bool = False
    documents_by: datetime | None = None
    """In a rush, when papers stand back: a mail that attaches them waits until then before it leaves without."""


class BookingExpiredV1(_BookingEvent):
    """Payment did not come in time; the seats are free again."""

    event_type: ClassVar[str] = "booking.expired.v1"
    expired_at: datetime


class BookingCancelledV1(_BookingEvent):
    """All (`whole`) or part of the booking was cancelled; `refund_minor` is on its way back."""

    event_type: ClassVar[str] = "booking.cancelled.v1"
    cancelled_at: datetime
    whole: bool = True
    refund_minor: int = 0
    fee_minor: int = 0
    refund_id: UUID | None = None
    reason: str = "cancellation"
    cancelled_items: tuple[tuple[UUID, UUID], ...] = ()
    """(passenger id, flight id) of each coupon that was given back."""


class BookingChangedV1(_BookingEvent):
    """Seats, flights, extras or passenger data changed; the event carries the new whole."""

    event_type: ClassVar[str] = "booking.changed.v1"
    changed_at: datetime
    kind: str
    """`seats`, `flights`, `extras`, `passenger` or `schedule`."""


class BookingDisruptedV1(_BookingEvent):
    """The airline changed a flight of the booking; the traveller decides by `answer_by`."""

    event_type: ClassVar[str] = "booking.disrupted.v1"
    disrupted_at: datetime
    flight_id: UUID
    kind: str
    """`cancelled`, `retimed` or `delayed`."""
    answer_by: datetime | None = None


class BookingCheckedInV1(_BookingEvent):
    """Passengers were checked in on a flight; their coupons carry seat and sequence."""

    event_type: ClassVar[str] = "booking.checked_in.v1"
    checked_in_at: datetime
    checked_in_items: tuple[tuple[UUID, UUID], ...] = ()


class BookingCompletedV1(_BookingEvent):
    """The last flight of the booking has flown."""

    event_type: ClassVar[str] = "booking.completed.v1"
    completed_at: datetime


class DocumentFact(_Part):
    """One finished document in the store."""

    kind: str
    """`ticket`, `receipt`, `refund_receipt`, `boarding_pass` or `calendar`."""
    name: str
    media_type: str
    storage_key: str
    sha256: str
    passenger_id: UUID | None = None
    flight_id: UUID | None = None


class BookingDocumentsReadyV1(EventData):
    """Documents were made and stored; keys are relative to the document store."""

    event_type: ClassVar[str] = "booking.documents_ready.v1"
    producer: ClassVar[str] = "booking"
    booking_id: UUID
    reference: str
    user_id: UUID
    cause: str = "confirmed"
    """What they were made for: `confirmed`, `cancelled`, `changed` or `checked_in`."""
    documents: tuple[DocumentFact, ...]
