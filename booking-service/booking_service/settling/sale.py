"""A booking as it stands once its hold is sold: pure, so that one statement can store it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from booking_service.bookings.hold import Hold
from booking_service.bookings.reference import e_ticket_number
from booking_service.bookings.states import BookingState
from booking_service.bookings.view import BookingView


@dataclass(frozen=True, slots=True)
class Sale:
    """The booking before and after. `tickets`: (e-ticket number, passenger, accounting code of the airline)."""

    before: BookingView
    after: BookingView
    tickets: tuple[tuple[str, UUID, str], ...]


def tickets_needed(view: BookingView) -> int:
    """How many e-ticket numbers a sale of this booking takes; 0 when a passenger has one already."""
    if any(one.e_ticket_number for one in view.passengers) or any(one.e_ticket_number for one in view.coupons):
        return 0
    return len(view.passengers) * len({segment.accounting_code for segment in view.segments})


def sold(view: BookingView, hold: Hold, serials: Sequence[int], now: datetime) -> Sale:
    """The sale of `view` by the confirmed `hold`, with fresh e-ticket `serials` (as many as `tickets_needed`)."""
    codes = list(dict.fromkeys(segment.accounting_code for segment in view.segments))
    wanted = [(passenger.id, code) for passenger in view.passengers for code in codes]
    numbers = {pair: e_ticket_number(pair[1], serial) for pair, serial in zip(wanted, serials, strict=True)}
    code_of = {segment.id: segment.accounting_code for segment in view.segments}
    seats = {(seat.passenger_id, seat.flight_id): seat.designator for seat in hold.seats}
    passengers = tuple(
        replace(
            one,
            e_ticket_number=numbers[one.id, codes[0]],
            coupons=tuple(
                replace(
                    coupon,
                    seat=seats.get((one.id, coupon.flight_id), coupon.seat),
                    e_ticket_number=numbers[one.id, code_of[coupon.segment_id]],
                )
                for coupon in one.coupons
            ),
        )
        for one in view.passengers
    )
    after = replace(
        view,
        state=BookingState.CONFIRMED,
        passengers=passengers,
        notes=hold.notes,
        version=view.version + 1,
        sequence=view.sequence + 1,
        confirmed_at=now,
    )
    tickets = tuple((number, passenger_id, code) for (passenger_id, code), number in numbers.items())
    return Sale(view, after, tickets)
