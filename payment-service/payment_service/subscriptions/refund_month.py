"""Money came for a month that cannot be had: it goes back by itself. Part of the caller's transaction."""

from datetime import datetime, time
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store as payments
from payment_service.payments.tables import payment
from payment_service.refunds.open_refund import RefundRequest, open_refund
from payment_service.subscriptions import store, use_store
from payment_service.subscriptions.tables import subscription_period
from rihla.kernel import new_id


async def refund_month(session: AsyncSession, period_id: UUID, *, now: datetime) -> None:
    """Give the month's payment back whole. A subscription without another paid month ends now, else with that month."""
    period = await store.period(session, period_id)
    assert period is not None  # a foreign key
    await session.execute(
        update(subscription_period).where(subscription_period.c.id == period_id).values(status="void")
    )
    query = select(payment.c.id).where(payment.c.subscription_period_id == period_id, payment.c.status == "succeeded")
    for payment_id in (await session.execute(query)).scalars().all():
        await refund_whole(session, payment_id, now=now)
    owned = await store.find(session, period.subscription_id, lock=True)
    if owned is None or owned.status == "cancelled":
        return
    running = await use_store.paid_period(session, owned.id, now.date())
    if running is None:
        await store.change(session, owned.id, status="cancelled", next_renewal_at=None, updated_at=now)
        return
    await store.change(
        session, owned.id,
        cancel_at_period_end=True,
        current_period_start=running.starts_on,
        current_period_end=running.ends_on,
        next_renewal_at=datetime.combine(running.ends_on, time(), now.tzinfo),
        updated_at=now,
    )  # fmt: skip


async def refund_whole(session: AsyncSession, payment_id: UUID, *, now: datetime) -> None:
    """Everything of a payment that has not gone back yet."""
    found = await payments.find(session, payment_id, lock=True)
    assert found is not None
    parts = [part for part in await payments.parts_of(session, payment_id) if part.status == "taken"]
    left = sum(part.left_minor for part in parts)
    if left:
        await open_refund(session, found, parts, RefundRequest(new_id(), left, "seats_lost"), now=now)
