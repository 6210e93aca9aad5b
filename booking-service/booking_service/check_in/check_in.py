"""Check in, and undo it. Sequence numbers of a flight are given once; an undone one stays recorded as void."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.errors import PassengerNotFound
from booking_service.bookings.read_booking import load_owned, lock_owned
from booking_service.bookings.states import CouponState, move_coupon
from booking_service.bookings.store import add_timeline, bump_version, publish, set_coupons, set_seats
from booking_service.bookings.view import BookingView, CouponView
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.cancelling.scope import with_infants
from booking_service.check_in.errors import CheckInClosed, NotCheckedIn
from booking_service.check_in.rules import Window, leaves, to_check_in
from booking_service.check_in.void_check_ins import void_check_ins
from booking_service.documents.request_documents import request_boarding_passes
from rihla.auth import Principal


def _window(c: Container) -> Window:
    settings = c.settings
    return Window(timedelta(hours=settings.check_in_opens_hours), timedelta(minutes=settings.check_in_closes_minutes))


async def check_in(
    c: Container, principal: Principal, booking_id: UUID, passenger_ids: frozenset[UUID], flight_ids: frozenset[UUID]
) -> bytes:
    """The booking as JSON, its coupons checked in.

    Raises BookingNotFound, PassengerNotFound, NothingToCheckIn, CheckInNotOpen, CheckInClosed, PassportRequired, and
    UpstreamUnavailable when a seat is still to be given and flight-service does not answer.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await load_owned(session, booking_id, principal)
    _known(view, passenger_ids)
    seats = await _seats_for(c, view, to_check_in(view, passenger_ids, flight_ids, _window(c), now))
    async with c.db.transaction() as session:
        view = await lock_owned(session, booking_id, principal)
        coupons = to_check_in(view, passenger_ids, flight_ids, _window(c), now)
        await set_seats(session, booking_id, seats)
        await _number(session, view, coupons, now=now)
        items = tuple((coupon.passenger_id, coupon.flight_id) for coupon in coupons)
        await request_boarding_passes(session, booking_id, items, now=now)
        await bump_version(session, booking_id)
        await add_timeline(session, booking_id, "checked_in", actor="traveller", now=now, coupons=len(coupons))
        view = await publish(session, booking_id, lambda seen: facts.checked_in(seen, now=now, items=items), now=now)
    return booking_json(view, now)


def _known(view: BookingView, passenger_ids: frozenset[UUID]) -> None:
    if passenger_ids - {one.id for one in view.passengers}:
        raise PassengerNotFound("This booking has no such passenger.")


async def _seats_for(c: Container, view: BookingView, coupons: Sequence[CouponView]) -> dict[tuple[UUID, UUID], str]:
    """Have flight-service give a seat to those who have none. Repeating the call gives the same seats."""
    holds = {one.id: one.hold_id for one in view.slices}
    by_hold: dict[UUID, list[tuple[UUID, UUID, str | None]]] = {}
    for coupon in coupons:
        passenger = view.passenger(coupon.passenger_id)
        if passenger is not None and coupon.seat is None and passenger.type != "infant":
            item = (coupon.passenger_id, coupon.flight_id, passenger.seat_preference)
            by_hold.setdefault(holds[coupon.slice_id], []).append(item)
    seats: dict[tuple[UUID, UUID], str] = {}
    for hold_id, items in by_hold.items():
        hold = await c.flights.assign_seats(hold_id, items)
        seats |= {(one.passenger_id, one.flight_id): one.designator for one in hold.seats}
    return seats


_NEXT = text(
    "INSERT INTO check_in_counter AS k (flight_id, last_sequence) VALUES (:flight_id, :count) "
    "ON CONFLICT (flight_id) DO UPDATE SET last_sequence = k.last_sequence + :count RETURNING last_sequence"
)
_CHECK_IN = text(
    "INSERT INTO check_in (flight_id, sequence, booking_id, passenger_id, coupon_id, state, checked_in_at) "
    "VALUES (:flight_id, :sequence, :booking_id, :passenger_id, :coupon_id, 'active', :now)"
)


async def _number(session: AsyncSession, view: BookingView, coupons: Sequence[CouponView], *, now: datetime) -> None:
    """Give each coupon the next sequence number of its flight; flights in sorted order, so that nobody waits in a
    circle.
    """
    for flight_id in sorted({coupon.flight_id for coupon in coupons}):
        mine = [coupon for coupon in coupons if coupon.flight_id == flight_id]
        last = (await session.execute(_NEXT, {"flight_id": flight_id, "count": len(mine)})).scalar_one()
        for sequence, coupon in enumerate(mine, last - len(mine) + 1):
            move_coupon(coupon.state, CouponState.CHECKED_IN)
            await session.execute(
                _CHECK_IN,
                {
                    "flight_id": flight_id,
                    "sequence": sequence,
                    "booking_id": view.id,
                    "passenger_id": coupon.passenger_id,
                    "coupon_id": coupon.id,
                    "now": now,
                },
            )
    await set_coupons(session, [coupon.id for coupon in coupons], CouponState.CHECKED_IN)


async def undo_check_in(
    c: Container, principal: Principal, booking_id: UUID, passenger_ids: frozenset[UUID], flight_ids: frozenset[UUID]
) -> bytes:
    """The booking as JSON, its coupons open again. Raises BookingNotFound, PassengerNotFound, NotCheckedIn,
    CheckInClosed.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_owned(session, booking_id, principal)
        _known(view, passenger_ids)
        chosen = with_infants(view, passenger_ids) if passenger_ids else {one.id for one in view.passengers}
        coupons = [
            coupon
            for coupon in view.coupons
            if coupon.passenger_id in chosen and (not flight_ids or coupon.flight_id in flight_ids)
        ]
        undone = await void_check_ins(session, booking_id, coupons, now=now)
        if not undone:
            raise NotCheckedIn("Nobody here is checked in.")
        if any(_closed(c, view, coupon, now) for coupon in undone):
            raise CheckInClosed("Check-in has closed; ask at the airline's desk.")
        await set_coupons(session, [coupon.id for coupon in undone], CouponState.OPEN)
        await bump_version(session, booking_id)
        await add_timeline(session, booking_id, "check_in_undone", actor="traveller", now=now, coupons=len(undone))
        view = await publish(session, booking_id, lambda seen: facts.changed(seen, now=now, kind="check_in"), now=now)
    return booking_json(view, now)


def _closed(c: Container, view: BookingView, coupon: CouponView, now: datetime) -> bool:
    segment = view.segment(coupon.flight_id)
    return segment is not None and leaves(segment) - _window(c).closes <= now
