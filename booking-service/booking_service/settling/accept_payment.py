"""Take note of a payment that succeeded: decide, store the decision and the call it needs, in the inbox's
transaction.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.read_booking import lock_booking
from booking_service.bookings.store import (
    add_errand,
    add_timeline,
    pay_charge,
    request_refund,
    set_step,
    step_of,
)
from booking_service.bookings.view import BookingView, ChargeView
from booking_service.settling.rules import REFUND_REASONS, Outcome, Paid, decide

_RECEIVED = text(
    "INSERT INTO payment_receipt (payment_id, booking_id, charge_id, amount_minor, currency, outcome, received_at) "
    "VALUES (:payment_id, :booking_id, :charge_id, :amount_minor, :currency, :outcome, :now) "
    "ON CONFLICT DO NOTHING RETURNING payment_id"
)


class UnknownCharge(Exception):
    """A payment for a booking or charge this service never made: a person must look at it."""


async def accept_payment(session: AsyncSession, booking_id: UUID, paid: Paid, *, now: datetime) -> Outcome:
    """Decide on the payment inside the caller's transaction. The same payment told twice changes nothing.

    Raises UnknownCharge.
    """
    view = await lock_booking(session, booking_id)
    charge = next((one for one in view.charges if one.id == paid.charge_id), None) if view else None
    if view is None or charge is None:
        raise UnknownCharge(f"no charge {paid.charge_id} of booking {booking_id}")
    outcome = decide(view, charge, paid)
    if outcome is Outcome.KNOWN or not await _received(session, booking_id, paid, outcome, now):
        return Outcome.KNOWN
    await add_timeline(
        session,
        booking_id,
        "payment_received",
        actor="payment",
        now=now,
        payment_id=paid.payment_id,
        amount_minor=paid.amount_minor,
        currency=paid.currency,
        outcome=str(outcome),
    )
    if outcome in REFUND_REASONS:
        await _give_back(session, view, charge, paid, REFUND_REASONS[outcome], now)
    else:
        await _apply(session, view, charge, paid, outcome, now)
    return outcome


async def _received(session: AsyncSession, booking_id: UUID, paid: Paid, outcome: Outcome, now: datetime) -> bool:
    values = {
        "payment_id": paid.payment_id,
        "booking_id": booking_id,
        "charge_id": paid.charge_id,
        "amount_minor": paid.amount_minor,
        "currency": paid.currency,
        "outcome": str(outcome),
        "now": now,
    }
    return (await session.execute(_RECEIVED, values)).first() is not None


async def _give_back(
    session: AsyncSession, view: BookingView, charge: ChargeView, paid: Paid, reason: str, now: datetime
) -> None:
    if paid.amount_minor <= 0:
        return
    await request_refund(
        session,
        booking_id=view.id,
        charge_id=charge.id,
        amount_minor=paid.amount_minor,
        currency=paid.currency,
        reason=reason,
        now=now,
        payment_id=paid.payment_id,
    )


async def _apply(
    session: AsyncSession, view: BookingView, charge: ChargeView, paid: Paid, outcome: Outcome, now: datetime
) -> None:
    await pay_charge(session, charge.id, paid.payment_id, method=paid.method, now=now)
    if outcome is Outcome.APPLY:
        await add_errand(session, view.id, "confirm_change", now=now, charge_id=charge.id)
        return
    if await step_of(session, view.id) is None:
        await set_step(session, view.id, "confirming")
    kind = "confirm_hold" if outcome is Outcome.CONFIRM else "reinstate_hold"
    await add_errand(session, view.id, kind, now=now, payment_id=paid.payment_id)
