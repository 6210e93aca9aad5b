"""Events of a booking, made from its view: sufficient for a consumer that never calls back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from booking_service.bookings.view import BookingView
from rihla.contracts.events import (
    BookingCancelledV1,
    BookingChangedV1,
    BookingCheckedInV1,
    BookingCompletedV1,
    BookingConfirmedV1,
    BookingCreatedV1,
    BookingDisruptedV1,
    BookingExpiredV1,
)
from rihla.contracts.events.booking import ContactFact, CouponFact, PassengerFact, SegmentFact, VisaFact


def _whole(view: BookingView) -> dict[str, Any]:
    return {
        "booking_id": view.id,
        "reference": view.reference,
        "user_id": view.user_id,
        "locale": view.locale,
        "contact": ContactFact(email=view.contact_email, phone=view.contact_phone),
        "total_minor": view.total_minor,
        "currency": view.currency,
        "test_mode": view.test_mode,
        "organisation_id": view.organisation_id,
        "segments": tuple(
            SegmentFact(
                flight_id=one.flight_id,
                slice_index=one.slice_index,
                segment_index=one.segment_index,
                flight_number=one.flight_number,
                airline=one.airline,
                airline_name=one.airline_name,
                origin=one.origin,
                destination=one.destination,
                departure_at=one.departure_at,
                arrival_at=one.arrival_at,
                cabin=one.cabin,
                fare_brand=one.fare_brand,
                terminal=one.terminal,
                gate=one.gate,
            )
            for one in view.segments
        ),
        "passengers": tuple(
            PassengerFact(
                passenger_id=one.id,
                type=one.type,
                given_name=one.given_name,
                surname=one.surname,
                e_ticket_number=one.e_ticket_number,
                email=one.email,
                phone=one.phone,
                passport_expires_on=one.passport_expires_on,
                visas=tuple(VisaFact(country=v.country, expires_on=v.expires_on) for v in one.visas),
                coupons=tuple(
                    CouponFact(flight_id=c.flight_id, status=c.status, seat=c.seat, sequence=c.sequence)
                    for c in one.coupons
                ),
            )
            for one in view.passengers
        ),
    }


def created(view: BookingView) -> BookingCreatedV1:
    return BookingCreatedV1(**_whole(view), payment_required_by=view.payment_required_by)


def confirmed(
    view: BookingView, *, now: datetime, late: bool, documents_by: datetime | None = None
) -> BookingConfirmedV1:
    return BookingConfirmedV1(
        **_whole(view), confirmed_at=view.confirmed_at or now, late=late, documents_by=documents_by
    )


def expired(view: BookingView, *, now: datetime) -> BookingExpiredV1:
    return BookingExpiredV1(**_whole(view), expired_at=view.expired_at or now)


def cancelled(
    view: BookingView,
    *,
    now: datetime,
    whole: bool,
    refund_minor: int = 0,
    fee_minor: int = 0,
    refund_id: UUID | None = None,
    reason: str = "cancellation",
    items: tuple[tuple[UUID, UUID], ...] = (),
) -> BookingCancelledV1:
    return BookingCancelledV1(
        **_whole(view),
        cancelled_at=now,
        whole=whole,
        refund_minor=refund_minor,
        fee_minor=fee_minor,
        refund_id=refund_id,
        reason=reason,
        cancelled_items=items,
    )


def changed(view: BookingView, *, now: datetime, kind: str) -> BookingChangedV1:
    return BookingChangedV1(**_whole(view), changed_at=now, kind=kind)


def disrupted(
    view: BookingView, *, now: datetime, flight_id: UUID, kind: str, answer_by: datetime | None
) -> BookingDisruptedV1:
    return BookingDisruptedV1(**_whole(view), disrupted_at=now, flight_id=flight_id, kind=kind, answer_by=answer_by)


def checked_in(view: BookingView, *, now: datetime, items: tuple[tuple[UUID, UUID], ...]) -> BookingCheckedInV1:
    return BookingCheckedInV1(**_whole(view), checked_in_at=now, checked_in_items=items)


def completed(view: BookingView, *, now: datetime) -> BookingCompletedV1:
    return BookingCompletedV1(**_whole(view), completed_at=now)
