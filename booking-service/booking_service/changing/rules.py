"""What a change of flights costs, and when it may be made: pure rules (issue 4, point 7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking_service.bookings.hold import HeldSegment
from booking_service.bookings.view import BookingView, SliceView
from booking_service.changing.errors import NotChangeable, OtherRoute


@dataclass(frozen=True, slots=True)
class Terms:
    """The money of a change. Exactly one of `due_minor` and `refund_minor` is above zero, or neither."""

    old_minor: int
    new_minor: int
    fee_minor: int
    due_minor: int
    refund_minor: int


def terms(fare_rules: dict[str, Any], *, old_minor: int, new_minor: int, passengers: int, involuntary: bool) -> Terms:
    """Fare difference and fee, a fee for each passenger with a seat. A disrupted traveller moves free of charge."""
    if involuntary:
        return Terms(old_minor, new_minor, 0, 0, 0)
    fee = int(fare_rules.get("change_fee_minor") or 0) * passengers
    balance = new_minor - old_minor + fee
    return Terms(old_minor, new_minor, fee, max(0, balance), max(0, -balance))


def check_changeable(view: BookingView, one: SliceView, *, now: datetime, involuntary: bool) -> None:
    """Raises NotChangeable: by fare, on the day of departure (local date), after check-in, or when it has left."""
    if involuntary:
        return
    if not one.fare_rules.get("changeable"):
        raise NotChangeable("This fare cannot be changed; it may be cancelled.")
    local_now = now.astimezone(one.departure_at.tzinfo)
    if local_now.date() >= one.departure_at.date():
        raise NotChangeable("A flight is not changed on the day of departure.")
    checked_in = any(coupon.slice_id == one.id and coupon.status == "checked_in" for coupon in view.coupons)
    if checked_in:
        raise NotChangeable("Undo the check-in before changing the flight.")


def check_route(one: SliceView, offered: tuple[HeldSegment, ...]) -> None:
    """Raises OtherRoute unless the offer is one slice from the same origin to the same destination."""
    single = {segment.slice_index for segment in offered} == {0}
    if not single or (offered[0].origin, offered[-1].destination) != (one.origin, one.destination):
        raise OtherRoute(f"A change keeps the route: {one.origin} to {one.destination}.")
