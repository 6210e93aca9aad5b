"""At the end of a month: renew from the wallet, try again each day of grace, then end."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.methods import Method, Source
from payment_service.payments.pay import Till
from payment_service.payments.payable import Payable
from payment_service.payments.schemas import PaymentOut
from payment_service.subscriptions import seat_store, store
from payment_service.subscriptions.seats import GRACE, PAYMENT_WINDOW, Seats
from payment_service.subscriptions.subscribe import open_period
from rihla.kernel import DomainError, Money, new_id
from rihla.telemetry import get_logger
from rihla.web.idempotency import IdempotentRequest

_WALLET = Method("wallet", (Source("wallet"),))
_UNASKED = IdempotentRequest("worker", "", b"", "")
_log = get_logger(__name__)


async def renew_due(till: Till, seats: Seats, *, grace_days: int, limit: int = 50) -> int:
    """One round over subscriptions whose month is over; how many were looked at."""
    async with till.db.transaction() as session:
        due = await store.due_for_renewal(session, now=till.clock.now(), limit=limit)
    for subscription_id in due:
        await _renew(till, seats, subscription_id, grace_days)
    return len(due)


@dataclass(frozen=True, slots=True)
class _Month:
    """A month to renew: what it costs and the seats to hold for it."""

    payable: Payable
    seat_plan_id: UUID | None


async def _renew(till: Till, seats: Seats, subscription_id: UUID, grace_days: int) -> None:
    async with till.db.transaction() as session:
        month = await _begin(session, subscription_id, grace_days, till.clock.now())
    if month is None:
        return
    try:
        if month.seat_plan_id is not None:
            # booking-service kept the traveller of the first month.
            await seats.hold(month.seat_plan_id, None)
        paid = PaymentOut.model_validate_json(await till.pay(new_id(), month.payable, _WALLET, _UNASKED, False))
        _log.info("subscription_renewal", subscription_id=str(subscription_id), status=paid.status)
    except DomainError as error:
        _log.warning("subscription_renewal_refused", subscription_id=str(subscription_id), error=type(error).__name__)
        if month.seat_plan_id is not None:
            await seats.give_up(month.seat_plan_id)
    if month.seat_plan_id is not None:
        await seats.drive(month.seat_plan_id)


async def _begin(session: AsyncSession, subscription_id: UUID, grace_days: int, now: datetime) -> _Month | None:
    await seat_store.lock_of(session, subscription_id)
    row = await store.find(session, subscription_id, lock=True)
    if row is None or row.next_renewal_at is None or row.next_renewal_at > now:
        return None
    if row.cancel_at_period_end or row.renewal_attempts > grace_days or row.status == "cancelled":
        await _end(session, row, now)
        return None
    plan = await store.plan(session, row.plan_id)
    assert plan is not None  # a foreign key
    period_id = await open_period(session, row.id, plan, row.current_period_end, row.anchor_day, now)
    # Tomorrow again, unless the payment below succeeds: a crash in between costs a day, never a second payment.
    await store.change(
        session,
        row.id,
        status="past_due" if row.current_period_end <= now.date() else row.status,
        renewal_attempts=row.renewal_attempts + 1,
        next_renewal_at=now + timedelta(days=1),
        updated_at=now,
    )
    price, until, seat_plan_id = Money(plan.price_minor, plan.currency), None, None
    if row.travel_pattern:
        await seat_store.release_of(session, now=now, states=seat_store.UNPAID, period_id=period_id)
        until = now + PAYMENT_WINDOW
        added = await seat_store.add(
            session, subscription_id=row.id, period_id=period_id, expires_at=until + GRACE, now=now
        )
        seat_plan_id = added.id
    payable = Payable("subscription", row.user_id, price, subscription_period_id=period_id, payable_until=until)
    return _Month(payable, seat_plan_id)


async def _end(session: AsyncSession, row: Row[Any], now: datetime) -> None:
    """Nothing is renewed any more; a month that still runs is had to its end."""
    if row.status == "active" and row.current_period_end > now.date():
        ends = datetime.combine(row.current_period_end, time(), UTC)
        await store.change(session, row.id, cancel_at_period_end=True, next_renewal_at=ends, updated_at=now)
        return
    await store.change(session, row.id, status="cancelled", next_renewal_at=None, updated_at=now)
    await seat_store.release_of(session, now=now, states=seat_store.UNPAID, subscription_id=row.id)
