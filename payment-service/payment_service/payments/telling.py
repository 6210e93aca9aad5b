"""Events of a payment's end, into the outbox of the same transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.states import FINAL
from payment_service.subscriptions.activate import activate_period, end_if_never_started
from rihla.contracts.events import PaymentFailedV1, PaymentSucceededV1
from rihla.db.outbox import add_event
from rihla.telemetry import Counter

_ENDED = Counter("rihla_payments_total", "Payments by purpose and end", ["purpose", "status"])


async def tell_succeeded(
    session: AsyncSession, payment: PaymentRecord, parts: Sequence[PartRecord], *, now: datetime
) -> None:
    """The money is ours: what it pays for inside this service starts now, everybody else hears of it by the event."""
    if payment.subscription_period_id is not None:
        await activate_period(session, payment.subscription_period_id, payment.id, now=now)
    count_ended(payment.purpose, "succeeded")
    event = succeeded_event(payment, parts, now=now)
    await add_event(session, event, aggregate_id=payment.id, sequence=payment.sequence, now=now)


def count_ended(purpose: str, status: str) -> None:
    """Count a payment that has reached its end; others are not counted."""
    if status in FINAL:
        _ENDED.labels(purpose, status).inc()


def succeeded_event(payment: PaymentRecord, parts: Sequence[PartRecord], *, now: datetime) -> PaymentSucceededV1:
    """The fact that a payment was made."""
    return PaymentSucceededV1(
        payment_id=payment.id,
        booking_id=payment.booking_id,
        charge_id=payment.charge_id,
        user_id=payment.user_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        method=payment.method_type,
        provider=next((part.provider for part in parts if part.provider), None),
        captured_at=now,
    )


async def tell_failed(session: AsyncSession, payment: PaymentRecord, *, now: datetime) -> None:
    """The attempt ended without money."""
    if payment.subscription_period_id is not None:
        await end_if_never_started(session, payment.subscription_period_id, now=now)
    count_ended(payment.purpose, "failed")
    event = failed_event(payment, now=now)
    await add_event(session, event, aggregate_id=payment.id, sequence=payment.sequence, now=now)


def failed_event(payment: PaymentRecord, *, now: datetime) -> PaymentFailedV1:
    """The fact that an attempt ended without money."""
    return PaymentFailedV1(
        payment_id=payment.id,
        booking_id=payment.booking_id,
        charge_id=payment.charge_id,
        user_id=payment.user_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        method=payment.method_type,
        failure_code=payment.failure_code or "",
        failure_message=payment.failure_message or "",
        failed_at=now,
    )
