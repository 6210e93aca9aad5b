"""Move to other seats. flight-service owns the seats; an errand copies them if this process stops in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from booking_service.bookings import facts
from booking_service.bookings.errands import Errand
from booking_service.bookings.errors import ExtrasNotOffered, PassengerNotFound
from booking_service.bookings.read_booking import load_owned, lock_booking, lock_owned
from booking_service.bookings.states import TRAVELLING, CouponState, MoveNotAllowed
from booking_service.bookings.store import (
    add_errand,
    add_timeline,
    bump_version,
    finish_errand,
    publish,
    set_seats,
)
from booking_service.bookings.view import BookingView
from booking_service.bookings.wire import booking_json, money
from booking_service.bootstrap import Container
from booking_service.changing.errors import SeatNotOffered
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from rihla.auth import Principal

_AFTERWARDS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class SeatWish:
    passenger_id: UUID
    flight_id: UUID
    designator: str


async def move_seats(c: Container, principal: Principal, booking_id: UUID, wishes: Sequence[SeatWish]) -> bytes:
    """The booking as JSON.

    Raises BookingNotFound, PassengerNotFound, MoveNotAllowed, SeatNotOffered (infant, checked in, to be paid, gone),
    SeatTaken.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await load_owned(session, booking_id, principal)
    by_hold = _by_hold(view, wishes)
    await _refuse_paid_seats(c, view, by_hold)
    for hold_id, items in by_hold.items():
        async with c.db.transaction() as session:
            errand_id = await add_errand(session, booking_id, "sync_seats", now=now, delay=_AFTERWARDS, hold_id=hold_id)
        # Refused, or no answer: the errand reads what is true and forgets itself.
        hold = await c.flights.move_seats(hold_id, [(w.passenger_id, w.flight_id, w.designator) for w in items])
        seats = {(one.passenger_id, one.flight_id): one.designator for one in hold.seats}
        async with c.db.transaction() as session:
            view = await lock_owned(session, booking_id, principal)
            await set_seats(session, booking_id, seats)
            await bump_version(session, booking_id)
            await add_timeline(session, booking_id, "seats_moved", actor="traveller", now=now, seats=len(items))
            await request_documents(session, booking_id, [DocumentKind.TICKET], now=now, cause="changed")
            view = await publish(session, booking_id, lambda seen: facts.changed(seen, now=now, kind="seats"), now=now)
            await finish_errand(session, errand_id)
    return booking_json(view, now)


def _by_hold(view: BookingView, wishes: Sequence[SeatWish]) -> dict[UUID, list[SeatWish]]:
    if view.state not in TRAVELLING:
        raise MoveNotAllowed(f"A booking that is {view.status} has no seats to move.", state=view.status)
    holds = {one.id: one.hold_id for one in view.slices}
    grouped: dict[UUID, list[SeatWish]] = {}
    for wish in wishes:
        passenger = view.passenger(wish.passenger_id)
        if passenger is None:
            raise PassengerNotFound("This booking has no such passenger.")
        coupon = next((one for one in passenger.coupons if one.flight_id == wish.flight_id), None)
        if coupon is None or coupon.state is not CouponState.OPEN:
            raise SeatNotOffered("Seats are moved on flights still to come, and before check-in.")
        if passenger.type == "infant":
            raise SeatNotOffered("An infant travels on an adult's lap.")
        grouped.setdefault(holds[coupon.slice_id], []).append(wish)
    return grouped


async def _refuse_paid_seats(c: Container, view: BookingView, by_hold: dict[UUID, list[SeatWish]]) -> None:
    """A seat that costs something is bought as an extra. Fares that choose freely are not asked about."""
    for hold_id, wishes in by_hold.items():
        if _seats_are_free(view, hold_id):
            continue
        lines = [
            {
                "passenger_id": one.passenger_id,
                "extras": [],
                "seats": [{"flight_id": one.flight_id, "designator": one.designator}],
            }
            for one in wishes
        ]
        try:
            quote = await c.flights.extras_quote(hold_id, lines)
        except ExtrasNotOffered as unknown:
            raise SeatNotOffered("Seats cannot be priced just now; try again later.") from unknown
        if quote.total_minor > 0:
            raise SeatNotOffered(
                "This seat is paid for: buy it as an extra.", price=money(quote.total_minor, quote.currency)
            )


def _seats_are_free(view: BookingView, hold_id: UUID) -> bool:
    return any(one.hold_id == hold_id and one.fare_rules.get("seat_choice") == "free" for one in view.slices)


async def sync_seats(c: Container, errand: Errand) -> None:
    """The errand `sync_seats`: write down the seats as flight-service has them, if they differ."""
    hold = await c.flights.read(errand.uuid("hold_id"))
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_booking(session, errand.booking_id)
        seats = {(one.passenger_id, one.flight_id): one.designator for one in hold.seats}
        stale = view is not None and any(
            coupon.live and seats.get((coupon.passenger_id, coupon.flight_id), coupon.seat) != coupon.seat
            for coupon in view.coupons
        )
        if view is not None and stale:
            await set_seats(session, view.id, seats)
            await bump_version(session, view.id)
            await publish(session, view.id, lambda seen: facts.changed(seen, now=now, kind="seats"), now=now)
        await finish_errand(session, errand.id)
