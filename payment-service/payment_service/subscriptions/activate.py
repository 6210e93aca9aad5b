"""A month was paid: the subscription runs to its end. Part of the payment's own transaction."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions import seat_store, store
from payment_service.subscriptions.calendar import renewal_at
from payment_service.subscriptions.refund_month import refund_whole
from payment_service.subscriptions.tables import subscription_period


async def activate_period(session: AsyncSession, period_id: UUID, payment_id: UUID, *, now: datetime) -> None:
    """Mark the month paid and move the subscription to it; its held seats are confirmed next.

    Money for a month that was given up meanwhile goes straight back.
    """
    seats = await seat_store.newest_of(session, period_id)
    period = await store.period(session, period_id)
    assert period is not None  # the payment was made for it
    row = await store.find(session, period.subscription_id, lock=True)
    assert row is not None  # a foreign key
    unpaid = seats is None or seats.state in seat_store.UNPAID
    if period.status == "void" or row.status == "cancelled" or not unpaid:
        await seat_store.release_of(session, now=now, states=seat_store.UNPAID, period_id=period_id)
        await _mark(session, period_id, "void")
        await refund_whole(session, payment_id, now=now)
        return
    if seats is not None:
        await seat_store.move(session, seats.id, "confirming", due_at=now, now=now)
    await _mark(session, period_id, "paid")
    await store.change(
        session,
        period.subscription_id,
        status="active",
        current_period_start=period.starts_on,
        current_period_end=period.ends_on,
        next_renewal_at=renewal_at(period.ends_on, standing_seats=seats is not None),
        renewal_attempts=0,
        updated_at=now,
    )


async def _mark(session: AsyncSession, period_id: UUID, status: str) -> None:
    changed = update(subscription_period).where(subscription_period.c.id == period_id)
    await session.execute(changed.values(status=status))


async def end_if_never_started(session: AsyncSession, period_id: UUID, *, now: datetime) -> None:
    """The payment failed: the month's seats go. The first one's failure ends the subscription, renewals come again."""
    seats = await seat_store.newest_of(session, period_id)
    if seats is not None and seats.state in seat_store.UNPAID:
        await seat_store.move(session, seats.id, "releasing", due_at=now, now=now)
    period = await store.period(session, period_id)
    assert period is not None  # the payment was made for it
    row = await store.find(session, period.subscription_id, lock=True)
    if row is not None and row.status == "incomplete":
        await store.change(session, row.id, status="cancelled", updated_at=now)
