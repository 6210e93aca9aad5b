"""From a booking to what its ticket prints."""

from uuid import UUID

from booking_service.bookings.view import BookingView, CouponView, PassengerView, PriceLineView, SegmentView
from booking_service.documents.papers import wording
from booking_service.documents.papers.ticket import ChargeLine, TicketPassenger, TicketSeat, TicketSegment, TicketSheet


def airlines_of(booking: BookingView) -> tuple[str, ...]:
    """The airlines of the itinerary, in the order they are flown, each once."""
    return tuple(dict.fromkeys(segment.airline for segment in booking.segments))


def compose_ticket(
    booking: BookingView, *, link: str, qr_svg: str, airport_name: wording.AirportName, airline: str | None = None
) -> TicketSheet:
    """The ticket of the whole booking, or of one airline's part of it. Cancelled coupons are left out."""
    segments = tuple(one for one in booking.segments if airline in (None, one.airline))
    flights = {one.flight_id for one in segments}
    travelling = tuple(one for one in booking.passengers if _tickets(one, flights))
    numbers = tuple(_number(one, flights) for one in travelling)
    lines = tuple(line for line in booking.price_lines if line.flight_id in flights)
    carrier = segments[0].airline_name if airline and segments else ""
    return TicketSheet(
        title=f"E-ticket {booking.reference}" + (f" {airline}" if airline else ""),
        airline=carrier,
        reference=booking.reference,
        booked_on=f"{wording.date_words(booking.created_at)} {wording.time_words(booking.created_at)} UTC",
        journey=_journey(booking),
        link=link,
        qr_svg=qr_svg,
        passengers=tuple(map(_passenger, travelling, numbers)),
        segments=tuple(_segment(one, travelling, airport_name) for one in segments),
        fare_rules=_rules(booking, flights),
        charges=_charges(lines, booking.currency),
        total=ChargeLine("Total", wording.money_words(sum(line.amount_minor for line in lines), booking.currency)),
        instructions=wording.INSTRUCTIONS,
        keywords=(booking.reference, *(_full(one) for one in travelling), *numbers),
    )


def _tickets(passenger: PassengerView, flights: set[UUID]) -> tuple[CouponView, ...]:
    return tuple(
        one for one in passenger.coupons if one.flight_id in flights and one.status not in ("refunded", "void")
    )


def _number(passenger: PassengerView, flights: set[UUID]) -> str:
    numbers = dict.fromkeys(one.e_ticket_number for one in _tickets(passenger, flights) if one.e_ticket_number)
    return ", ".join(numbers) or passenger.e_ticket_number or ""


def _full(passenger: PassengerView) -> str:
    return wording.full_name(passenger.given_name, passenger.surname)


def _passenger(passenger: PassengerView, number: str) -> TicketPassenger:
    return TicketPassenger(
        name=wording.printed_name(passenger.given_name, passenger.surname),
        latin=wording.airline_name_of(passenger.given_name, passenger.surname, passenger.title),
        kind=wording.kind_words(passenger.type),
        e_ticket_number=number,
        requests=wording.request_words(passenger.ssr),
    )


def _segment(
    segment: SegmentView, travelling: tuple[PassengerView, ...], airport_name: wording.AirportName
) -> TicketSegment:
    out, back = segment.departure_at, segment.arrival_at
    return TicketSegment(
        flight_number=segment.flight_number,
        airline=segment.airline_name or segment.airline,
        aircraft=segment.aircraft,
        origin=segment.origin,
        origin_name=airport_name(segment.origin),
        destination=segment.destination,
        destination_name=airport_name(segment.destination),
        departure_date=wording.date_words(out),
        departure_time=wording.time_words(out),
        departure_zone=wording.zone_words(out),
        arrival_date=wording.date_words(back),
        arrival_time=wording.time_words(back),
        arrival_zone=wording.zone_words(back),
        duration=wording.duration_words(segment.duration_minutes),
        terminal=segment.terminal or "to be announced",
        gate=segment.gate or "to be announced",
        cabin=wording.cabin_words(segment.cabin),
        fare_brand=segment.fare_brand.capitalize(),
        fare_class=segment.fare_class,
        checked_baggage=f"{segment.checked_kg} kg" if segment.checked_kg else "none",
        cabin_baggage=f"{segment.cabin_kg} kg" if segment.cabin_kg else "none",
        report_by=wording.report_time(out, segment.cabin),
        boarding=wording.boarding_time(out),
        gate_closes=wording.gate_closing_time(out),
        seats=tuple(
            _seat(passenger, coupon, segment)
            for passenger in travelling
            for coupon in _tickets(passenger, {segment.flight_id})
        ),
    )


def _seat(passenger: PassengerView, coupon: CouponView, segment: SegmentView) -> TicketSeat:
    without = "on lap" if passenger.type == "infant" else "given at check-in"
    return TicketSeat(
        passenger=wording.printed_name(passenger.given_name, passenger.surname),
        seat=coupon.seat or without,
        cabin=wording.cabin_words(segment.cabin),
        status=coupon.status.replace("_", " "),
    )


def _journey(booking: BookingView) -> str:
    slices = booking.slices
    if len(slices) == 1:
        return "One way"
    turns_back = len(slices) == 2 and slices[0].origin == slices[1].destination
    return "Return" if turns_back and slices[0].destination == slices[1].origin else "Multi-city"


def _rules(booking: BookingView, flights: set[UUID]) -> tuple[str, ...]:
    """One list when all slices have the same rules, else a list for each slice, headed by its route."""
    worded = [
        (f"{one.origin} - {one.destination}", wording.fare_rule_words(one.fare_rules, booking.currency))
        for one in booking.slices
        if any(segment.flight_id in flights for segment in one.segments)
    ]
    if len({rules for _, rules in worded}) <= 1:
        return worded[0][1] if worded else ()
    return tuple(line for route, rules in worded for line in (f"{route}:", *rules))


def _charges(lines: tuple[PriceLineView, ...], currency: str) -> tuple[ChargeLine, ...]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.name] = sums.get(line.name, 0) + line.amount_minor
    return tuple(ChargeLine(name, wording.money_words(amount, currency)) for name, amount in sums.items())
