"""Passport and contact data after booking, and small corrections of a name (a ticket is not for somebody else)."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.errors import InvalidRequest, PassengerNotFound
from booking_service.bookings.name_rules import is_small_correction, name_finding
from booking_service.bookings.read_booking import lock_owned
from booking_service.bookings.sealed_passport import is_same, masked, sealed_bytes
from booking_service.bookings.states import BookingState, CouponState, MoveNotAllowed
from booking_service.bookings.store import add_timeline, bump_version, publish
from booking_service.bookings.view import BookingView, PassengerView
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from rihla.auth import Principal
from rihla.encryption import DataCipher

_OPEN = {
    BookingState.PENDING_PAYMENT,
    BookingState.CONFIRMED,
    BookingState.PARTIALLY_CANCELLED,
    BookingState.DISRUPTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Column -> new value; only what is to change. `passport_number` is whole and is stored sealed."""

    values: dict[str, Any]
    passport_number: str | None = None


async def correct_passenger(
    c: Container, principal: Principal, booking_id: UUID, passenger_id: UUID, correction: Correction
) -> bytes:
    """The booking as it is then, as JSON.

    Raises BookingNotFound, PassengerNotFound, MoveNotAllowed (over, or checked in and the name would change) and
    InvalidRequest.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_owned(session, booking_id, principal)
        passenger = view.passenger(passenger_id)
        if passenger is None:
            raise PassengerNotFound("This booking has no such passenger.")
        _check(view, passenger, correction.values)
        changed = {name: value for name, value in correction.values.items() if getattr(passenger, name) != value}
        changed |= _new_passport(c.cipher, passenger, correction.passport_number)
        if changed:
            await _write(session, passenger_id, changed)
            await bump_version(session, booking_id)
            await add_timeline(
                session,
                booking_id,
                "passenger_corrected",
                actor="traveller",
                now=now,
                passenger_id=passenger_id,
                fields=sorted(changed),
            )
            if {"given_name", "surname"} & changed.keys() and view.state is not BookingState.PENDING_PAYMENT:
                await request_documents(session, booking_id, [DocumentKind.TICKET], now=now, cause="changed")
            view = await publish(
                session, booking_id, lambda seen: facts.changed(seen, now=now, kind="passenger"), now=now
            )
    return booking_json(view, now)


def _new_passport(cipher: DataCipher, passenger: PassengerView, number: str | None) -> dict[str, Any]:
    """The columns of another number than the one there is; none when it is the same or no number was sent."""
    if number is None or is_same(cipher, passenger.passport_sealed, number, passenger.id):
        return {}
    sealed = sealed_bytes(cipher, number, passenger.id)
    return {"passport_number": None, "passport_masked": masked(number), "passport_sealed": sealed}


async def _write(session: AsyncSession, passenger_id: UUID, changed: dict[str, Any]) -> None:
    values = {**changed, "passenger_id": passenger_id}
    if "visas" in changed:
        values["visas"] = msgspec.json.encode(changed["visas"]).decode()
    assignments = ", ".join(
        "visas = CAST(:visas AS jsonb)" if name == "visas" else f"{name} = :{name}" for name in changed
    )
    await session.execute(text(f"UPDATE passenger SET {assignments} WHERE id = :passenger_id"), values)


def _check(view: BookingView, passenger: PassengerView, values: dict[str, Any]) -> None:
    if view.state not in _OPEN:
        raise MoveNotAllowed(f"A booking that is {view.status} is not changed any more.", state=view.status)
    names = {name: values[name] for name in ("given_name", "surname") if name in values}
    differs = {name for name, value in names.items() if value != getattr(passenger, name)}
    if differs and any(coupon.state is CouponState.CHECKED_IN for coupon in passenger.coupons):
        raise MoveNotAllowed("Undo the check-in before correcting the name.", state="checked_in")
    for name in sorted(differs):
        reason = name_finding(names[name])
        if reason:
            raise InvalidRequest((f"#/{name}", "invalid-name", reason))
        if not is_small_correction(getattr(passenger, name), names[name]):
            message = "Only small corrections of a name are possible: a ticket cannot be given to somebody else."
            raise InvalidRequest((f"#/{name}", "not-a-correction", message))
    expires_on: date | None = values.get("passport_expires_on")
    if expires_on and expires_on < view.segments[-1].arrival_at.date():
        message = f"The passport expires before the journey ends on {view.segments[-1].arrival_at.date().isoformat()}."
        raise InvalidRequest(("#/passport/expires_on", "passport-expires-before-travel", message))
