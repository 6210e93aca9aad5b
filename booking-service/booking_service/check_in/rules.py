"""Who can be checked in, and when: pure rules (api.md: opens 48 h, closes 60 min before departure)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from booking_service.bookings.states import TRAVELLING, CouponState
from booking_service.bookings.view import BookingView, CouponView, SegmentView
from booking_service.cancelling.scope import with_infants
from booking_service.check_in.errors import CheckInClosed, CheckInNotOpen, NothingToCheckIn, PassportRequired


@dataclass(frozen=True, slots=True)
class Window:
    """Check-in opens and closes this long before departure."""

    opens: timedelta
    closes: timedelta


def leaves(segment: SegmentView) -> datetime:
    """When the flight leaves as far as is known: its timetable and its delay."""
    return segment.departure_at + timedelta(minutes=segment.delay_minutes)


def to_check_in(
    view: BookingView,
    passenger_ids: frozenset[UUID],
    flight_ids: frozenset[UUID],
    window: Window,
    now: datetime,
) -> list[CouponView]:
    """The open coupons to check in: of these passengers (their lap infants with them) on the flights whose window is
    open.

    No flights named: every flight whose window is open. Raises NothingToCheckIn, CheckInNotOpen, CheckInClosed,
    PassportRequired.
    """
    if view.state not in TRAVELLING:
        raise NothingToCheckIn(f"A booking that is {view.status} is not one to travel on.", state=view.status)
    chosen = with_infants(view, passenger_ids)
    wanted = [
        coupon
        for coupon in view.coupons
        if coupon.passenger_id in chosen
        and coupon.state is CouponState.OPEN
        and (not flight_ids or coupon.flight_id in flight_ids)
    ]
    if not wanted:
        raise NothingToCheckIn("These passengers have no flight left to check in for.")
    coupons = [coupon for coupon in wanted if _is_open(view, coupon.flight_id, window, now)]
    if not coupons or (flight_ids and len(coupons) < len(wanted)):
        raise _why_not(view, wanted, window, now)
    _need_passports(view, coupons)
    return coupons


def _is_open(view: BookingView, flight_id: UUID, window: Window, now: datetime) -> bool:
    segment = view.segment(flight_id)
    if segment is None or segment.status == "cancelled":
        return False
    return leaves(segment) - window.opens <= now < leaves(segment) - window.closes


def _why_not(
    view: BookingView, wanted: list[CouponView], window: Window, now: datetime
) -> CheckInNotOpen | CheckInClosed:
    flights = {coupon.flight_id for coupon in wanted}
    departures = sorted(leaves(segment) for segment in view.segments if segment.flight_id in flights)
    coming = [departure - window.opens for departure in departures if departure - window.opens > now]
    if coming:
        opens_at = coming[0]
        return CheckInNotOpen(f"Check-in opens at {opens_at.isoformat()}.", opens_at=opens_at.isoformat())
    return CheckInClosed("Check-in has closed; go to the airline's desk at the airport.")


def _need_passports(view: BookingView, coupons: list[CouponView]) -> None:
    missing = set()
    for coupon in coupons:
        segment, passenger = view.segment(coupon.flight_id), view.passenger(coupon.passenger_id)
        if segment is None or passenger is None or not segment.international:
            continue
        expires_on = passenger.passport_expires_on
        if not passenger.passport_shown or expires_on is None or expires_on < segment.arrival_at.date():
            missing.add(passenger.id)
    if missing:
        raise PassportRequired(
            "An international flight needs passport data that are valid on the day of arrival.",
            passenger_ids=sorted(str(one) for one in missing),
        )
