"""Say exactly what a cancellation would give back, and keep that promise for a while."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.errors import InvalidRequest
from booking_service.bookings.read_booking import load_owned
from booking_service.bookings.states import TRAVELLING, BookingState, MoveNotAllowed
from booking_service.bookings.view import BookingView, CouponView
from booking_service.bookings.wire import money, utc
from booking_service.bootstrap import Container
from booking_service.cancelling.errors import AlreadyDeparted, NothingToCancel
from booking_service.cancelling.fees import Money, refund_of
from booking_service.cancelling.scope import Scope, coupons_in, departed, unknown_ids
from booking_service.disruptions.store import at_fault
from rihla.auth import Principal
from rihla.kernel import new_id


@dataclass(frozen=True, slots=True)
class Quoted:
    """A scope worked out: which coupons, how much."""

    coupons: list[CouponView]
    money: Money
    whole: bool
    involuntary: bool


async def quote_cancellation(c: Container, principal: Principal, booking_id: UUID, scope: Scope) -> bytes:
    """The quote as JSON.

    Raises BookingNotFound, InvalidRequest (ids of other bookings), MoveNotAllowed (over, or unpaid and not whole),
    NothingToCancel and AlreadyDeparted.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await load_owned(session, booking_id, principal)
        quoted = work_out(view, scope, now=now, involuntary=await at_fault(session, booking_id))
        quote_id, expires_at = new_id(), _expiry(c, view, quoted, now)
        await _store(session, view, quoted, quote_id, principal.user_id, now, expires_at)
    return msgspec.json.encode(_document(view, quoted, quote_id, now, expires_at))


def work_out(view: BookingView, scope: Scope, *, now: datetime, involuntary: bool) -> Quoted:
    """The coupons and the money of a scope, at `now`."""
    findings = unknown_ids(view, scope)
    if findings:
        raise InvalidRequest(*findings)
    if view.state is BookingState.PENDING_PAYMENT:
        if not scope.whole:
            raise MoveNotAllowed("An unpaid booking is abandoned as a whole.", state=view.status)
        return Quoted([coupon for coupon in view.coupons if coupon.live], Money(0, 0, {}), True, False)
    if view.state not in TRAVELLING:
        raise MoveNotAllowed(f"A booking that is {view.status} is not cancelled.", state=view.status)
    coupons = _still_on_the_ground(view, scope, now)
    live = [coupon for coupon in view.coupons if coupon.live]
    total = refund_of(view, coupons, at=now, involuntary=involuntary)
    return Quoted(coupons, total, len(coupons) == len(live), involuntary)


def _still_on_the_ground(view: BookingView, scope: Scope, now: datetime) -> list[CouponView]:
    chosen = coupons_in(view, scope)
    if not chosen:
        raise NothingToCancel("Everything in this scope is cancelled or flown already.")
    gone = {one.id for one in view.slices if departed(one, now)}
    if gone & scope.slice_ids:
        raise AlreadyDeparted("A flight of this slice has left; it cannot be cancelled any more.")
    waiting = [coupon for coupon in chosen if coupon.slice_id not in gone]
    if not waiting:
        raise AlreadyDeparted("The flights in this scope have left; they cannot be cancelled any more.")
    return waiting


def _expiry(c: Container, view: BookingView, quoted: Quoted, now: datetime) -> datetime:
    """A quote stands for some minutes, but not beyond the departure it was made before."""
    slices = {coupon.slice_id for coupon in quoted.coupons}
    departures = [one.departure_at for one in view.slices if one.id in slices]
    return min([now + timedelta(minutes=c.settings.quote_minutes), *departures])


_INSERT = text(
    "INSERT INTO cancellation_quote (id, booking_id, user_id, booking_version, whole, involuntary, "
    "coupon_ids, by_charge, "
    "refund_minor, fee_minor, currency, created_at, expires_at) VALUES (:id, :booking_id, :user_id, :version, :whole, "
    ":involuntary, CAST(:coupon_ids AS jsonb), CAST(:by_charge AS jsonb), :refund_minor, :fee_minor, :currency, :now, "
    ":expires_at)"
)


async def _store(
    session: AsyncSession,
    view: BookingView,
    quoted: Quoted,
    quote_id: UUID,
    user_id: UUID,
    now: datetime,
    expires_at: datetime,
) -> None:
    by_charge = {
        str(charge): {"refund_minor": share.refund_minor, "fee_minor": share.fee_minor}
        for charge, share in quoted.money.by_charge.items()
    }
    await session.execute(
        _INSERT,
        {
            "id": quote_id,
            "booking_id": view.id,
            "user_id": user_id,
            "version": view.version,
            "whole": quoted.whole,
            "involuntary": quoted.involuntary,
            "coupon_ids": json.dumps([str(coupon.id) for coupon in quoted.coupons]),
            "by_charge": json.dumps(by_charge),
            "refund_minor": quoted.money.refund_minor,
            "fee_minor": quoted.money.fee_minor,
            "currency": view.currency,
            "now": now,
            "expires_at": expires_at,
        },
    )


def _document(view: BookingView, quoted: Quoted, quote_id: UUID, now: datetime, expires_at: datetime) -> dict[str, Any]:
    methods = {charge.id: charge.payment_method or "card" for charge in view.charges}
    destinations: dict[str, int] = {}
    for charge, share in quoted.money.by_charge.items():
        destinations[methods[charge]] = destinations.get(methods[charge], 0) + share.refund_minor
    return {
        "id": quote_id,
        "booking_id": view.id,
        "scope": "all" if quoted.whole else "part",
        "involuntary": quoted.involuntary,
        "refund": money(quoted.money.refund_minor, view.currency),
        "fee": money(quoted.money.fee_minor, view.currency),
        "destinations": [
            {"kind": kind, "amount": money(minor, view.currency)} for kind, minor in destinations.items() if minor
        ],
        "items": [{"passenger_id": one.passenger_id, "flight_id": one.flight_id} for one in quoted.coupons],
        "created_at": utc(now),
        "expires_at": utc(expires_at),
    }
