"""What moving a slice to another flight of the route would cost."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from booking_service.bookings.errors import InvalidRequest
from booking_service.bookings.hold import Hold
from booking_service.bookings.read_booking import load_owned
from booking_service.bookings.states import TRAVELLING, MoveNotAllowed
from booking_service.bookings.view import BookingView, PassengerView, SliceView
from booking_service.bookings.wire import money, utc
from booking_service.bootstrap import Container
from booking_service.changing.rules import Terms, check_changeable, check_route, terms
from booking_service.disruptions.store import open_disruption_on
from rihla.auth import Principal
from rihla.kernel import new_id


@dataclass(frozen=True, slots=True)
class Wish:
    """Which slice, and the offer of the other flight."""

    slice_id: UUID
    offer_id: str


_INSERT = text(
    "INSERT INTO change_quote (id, booking_id, user_id, booking_version, slice_ids, offer_id, offered, involuntary, "
    "lines, old_minor, new_minor, fee_minor, due_minor, refund_minor, currency, created_at, expires_at) "
    "VALUES (:id, :booking_id, :user_id, :version, CAST(:slice_ids AS jsonb), :offer_id, CAST(:offered AS jsonb), "
    ":involuntary, CAST(:lines AS jsonb), :old_minor, :new_minor, :fee_minor, :due_minor, :refund_minor, :currency, "
    ":now, :expires_at)"
)


async def quote_change(c: Container, principal: Principal, booking_id: UUID, wish: Wish) -> bytes:
    """The quote as JSON.

    Raises BookingNotFound, InvalidRequest, MoveNotAllowed, NotChangeable, OtherRoute, and what flight-service refuses.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await load_owned(session, booking_id, principal)
        involuntary = await open_disruption_on(session, booking_id, wish.slice_id)
    one = changeable_slice(view, wish.slice_id, now=now, involuntary=involuntary)
    lines = hold_lines(view, one)
    hold = await c.flights.quote(wish.offer_id, lines)
    check_route(one, hold.segments)
    if hold.currency != view.currency:
        raise InvalidRequest(("#/offer_id", "other-currency", f"Search again in {view.currency}."))
    chosen = _terms(view, one, hold, involuntary=involuntary)
    quote_id, expires_at = new_id(), now + timedelta(minutes=c.settings.quote_minutes)
    async with c.db.transaction() as session:
        await session.execute(
            _INSERT,
            {
                "id": quote_id,
                "booking_id": booking_id,
                "user_id": principal.user_id,
                "version": view.version,
                "slice_ids": json.dumps([str(one.id)]),
                "offer_id": wish.offer_id,
                "offered": msgspec.json.encode(hold).decode(),
                "involuntary": involuntary,
                "lines": msgspec.json.encode(lines).decode(),
                **msgspec.to_builtins(chosen),
                "currency": view.currency,
                "now": now,
                "expires_at": expires_at,
            },
        )
    return msgspec.json.encode(_document(view, one, hold, chosen, quote_id, involuntary, expires_at))


def changeable_slice(view: BookingView, slice_id: UUID, *, now: datetime, involuntary: bool) -> SliceView:
    """The slice, if it may be changed now."""
    if view.state not in TRAVELLING:
        raise MoveNotAllowed(f"A booking that is {view.status} is not changed.", state=view.status)
    one = next((one for one in view.slices if one.id == slice_id), None)
    if one is None or not travelling_on(view, one):
        raise InvalidRequest(
            ("#/slice_id", "unknown-slice", "The booking has no such slice that is still to be flown.")
        )
    check_changeable(view, one, now=now, involuntary=involuntary)
    return one


def travelling_on(view: BookingView, one: SliceView) -> list[PassengerView]:
    """The passengers who still travel on this slice."""
    return [
        passenger
        for passenger in view.passengers
        if any(coupon.slice_id == one.id and coupon.live for coupon in passenger.coupons)
    ]


def hold_lines(view: BookingView, one: SliceView) -> list[dict[str, Any]]:
    """The lines of the new hold: the same passengers; extras of the old flight stay with it and are part of its
    value.
    """
    return [
        {
            "passenger_id": str(passenger.id),
            "type": passenger.type,
            "date_of_birth": passenger.date_of_birth.isoformat(),
            "seats": [],
            "seat_preference": passenger.seat_preference,
            "extras": [],
        }
        for passenger in travelling_on(view, one)
    ]


def old_value(view: BookingView, one: SliceView) -> int:
    """What was paid for the live coupons of the slice (change fees are spent)."""
    live = {(coupon.passenger_id, coupon.segment_id) for coupon in view.coupons if coupon.live}
    segments = {segment.id for segment in one.segments}
    return sum(
        line.amount_minor
        for line in view.price_lines
        if line.segment_id in segments and (line.passenger_id, line.segment_id) in live and line.refund_class != "none"
    )


def _terms(view: BookingView, one: SliceView, hold: Hold, *, involuntary: bool) -> Terms:
    seated = sum(passenger.type != "infant" for passenger in travelling_on(view, one))
    return terms(
        one.fare_rules,
        old_minor=old_value(view, one),
        new_minor=hold.total_minor,
        passengers=seated,
        involuntary=involuntary,
    )


def _document(
    view: BookingView,
    one: SliceView,
    hold: Hold,
    chosen: Terms,
    quote_id: UUID,
    involuntary: bool,
    expires_at: datetime,
) -> dict[str, Any]:
    currency = view.currency
    return {
        "id": quote_id,
        "booking_id": view.id,
        "slice_id": one.id,
        "involuntary": involuntary,
        "old_value": money(chosen.old_minor, currency),
        "new_value": money(chosen.new_minor, currency),
        "fee": money(chosen.fee_minor, currency),
        "due": money(chosen.due_minor, currency),
        "refund": money(chosen.refund_minor, currency),
        "segments": [
            {
                "flight_id": segment.flight_id,
                "flight_number": segment.flight_number,
                "origin": segment.origin,
                "destination": segment.destination,
                "departure_at": segment.departure_at,
                "arrival_at": segment.arrival_at,
            }
            for segment in hold.segments
        ],
        "expires_at": utc(expires_at),
    }
