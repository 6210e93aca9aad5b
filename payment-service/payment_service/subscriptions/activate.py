"""A month was paid: the subscription runs to its end. Part of the payment's own transaction."""

from datetime import UTC, datetime, time
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions import store
from payment_service.subscriptions.tables import subscription_period


async def activate_period(session: AsyncSession, period_id: UUID, *, now: datetime) -> None:
    """Mark the month paid and move the subscription to it."""
    period = await store.period(session, period_id)
    assert period is not None  # the payment was made for it
    await session.execute(
        update(subscription_period).where(subscription_period.c.id == period_id).values(status="paid")
    )
    await store.find(session, period.subscription_id, lock=True)
    await store.change(
        session,
        period.subscription_id,
        status="active",
        current_period_start=period.starts_on,
        current_period_end=period.ends_on,
        next_renewal_at=datetime.combine(period.ends_on, time(), UTC),
        renewal_attempts=0,
        updated_at=now,
    )


async def end_if_never_started(session: AsyncSession, period_id: UUID, *, now: datetime) -> None:
    """The first month's payment failed: the subscription never began. Renewals are tried again instead."""
    period = await store.period(session, period_id)
    assert period is not None  # the payment was made for it
    row = await store.find(session, period.subscription_id, lock=True)
    if row is not None and row.status == "incomplete":
        await store.change(session, row.id, status="cancelled", updated_at=now)
