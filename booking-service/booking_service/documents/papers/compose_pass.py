"""From a booking to one passenger's boarding pass on one flight."""

from uuid import UUID

from booking_service.bookings.view import BookingView, CouponView, PassengerView, SegmentView
from booking_service.documents.papers import bcbp, wording
from booking_service.documents.papers.boarding_pass import PassSheet, boarding_group
from booking_service.documents.papers.pass_signature import PassSigner

# Passenger status 1 of Resolution 792: ticket issued, passenger checked in.
_CHECKED_IN = "1"
_COMPARTMENTS = {"first": "F", "business": "J", "premium_economy": "W", "economy": "Y"}


def pass_code(
    booking: BookingView, passenger: PassengerView, segment: SegmentView, coupon: CouponView, signer: PassSigner
) -> bcbp.BoardingPassCode:
    """The signed bar code. Raises ValueError when the coupon has no check-in sequence."""
    if coupon.sequence is None:
        raise ValueError("a boarding pass needs a check-in sequence")
    code = bcbp.BoardingPassCode(
        name=bcbp.name_field(passenger.surname, passenger.given_name),
        reference=booking.reference,
        origin=segment.origin,
        destination=segment.destination,
        carrier=segment.airline,
        flight_number=bcbp.number_field(segment.flight_number[len(segment.airline) :]),
        day_of_year=segment.departure_at.timetuple().tm_yday,
        compartment=_COMPARTMENTS.get(segment.cabin, segment.fare_class[:1] or "Y"),
        seat=bcbp.seat_field(coupon.seat),
        sequence=bcbp.sequence_field(coupon.sequence),
        passenger_status=_CHECKED_IN,
    )
    return signer.sign(code)


def find_checked_in(
    booking: BookingView, passenger_id: UUID, flight_id: UUID
) -> tuple[PassengerView, SegmentView, CouponView] | None:
    """The three parts of a pass, or None while that passenger is not checked in on that flight."""
    passenger, segment = booking.passenger(passenger_id), booking.segment(flight_id)
    if passenger is None or segment is None:
        return None
    for coupon in passenger.coupons:
        if coupon.flight_id == flight_id and coupon.status == "checked_in" and coupon.sequence is not None:
            return passenger, segment, coupon
    return None


def compose_pass(
    booking: BookingView,
    passenger: PassengerView,
    segment: SegmentView,
    coupon: CouponView,
    *,
    code_svg: str,
    strip_svg: str,
    airport_name: wording.AirportName,
) -> PassSheet:
    """What the pass prints; `coupon` must be checked in (see `find_checked_in`)."""
    name = wording.full_name(passenger.given_name, passenger.surname)
    number = coupon.e_ticket_number or passenger.e_ticket_number or ""
    out = segment.departure_at
    return PassSheet(
        title=f"Boarding pass {booking.reference} {segment.flight_number}",
        name=wording.printed_name(passenger.given_name, passenger.surname),
        latin=wording.airline_name_of(passenger.given_name, passenger.surname, passenger.title),
        reference=booking.reference,
        e_ticket_number=number,
        airline=segment.airline_name or segment.airline,
        flight_number=segment.flight_number,
        origin=segment.origin,
        origin_name=airport_name(segment.origin),
        destination=segment.destination,
        destination_name=airport_name(segment.destination),
        departure_date=wording.date_words(out),
        departure_time=wording.time_words(out),
        boarding=wording.boarding_time(out),
        gate_closes=wording.gate_closing_time(out),
        terminal=segment.terminal or "see screens",
        gate=segment.gate or "see screens",
        seat=coupon.seat or "INF",
        cabin=wording.cabin_words(segment.cabin),
        group=boarding_group(segment.cabin, coupon.seat),
        sequence=f"{coupon.sequence:04d}" if coupon.sequence is not None else "",
        requests=wording.request_words(passenger.ssr),
        code_svg=code_svg,
        strip_svg=strip_svg,
        keywords=(booking.reference, name, number, segment.flight_number),
    )
