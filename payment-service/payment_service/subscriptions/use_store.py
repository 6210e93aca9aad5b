"""Queries on the uses of subscriptions."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions.tables import subscription_period, subscription_use


async def use_of(session: AsyncSession, booking_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """The booking's use or its tombstone."""
    query = select(subscription_use).where(subscription_use.c.booking_id == booking_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def paid_period(session: AsyncSession, subscription_id: UUID, day: date) -> Row[Any] | None:
    """The paid month that holds this day."""
    query = select(subscription_period).where(
        subscription_period.c.subscription_id == subscription_id,
        subscription_period.c.status == "paid",
        subscription_period.c.starts_on <= day,
        subscription_period.c.ends_on > day,
    )
    return (await session.execute(query)).one_or_none()


async def count_rides(session: AsyncSession, period_id: UUID, rides: int) -> bool:
    """Take rides of a month; False when not so many are left. The row's lock orders everybody who wants some."""
    counted = await session.execute(
        text(
            "UPDATE subscription_period SET rides_used = rides_used + :rides "
            "WHERE id = :id AND (rides IS NULL OR rides_used + :rides <= rides) RETURNING 1"
        ),
        {"id": period_id, "rides": rides},
    )
    return counted.first() is not None


async def give_rides_back(session: AsyncSession, period_id: UUID, rides: int) -> None:
    """Return rides to their month."""
    await session.execute(
        text("UPDATE subscription_period SET rides_used = rides_used - :rides WHERE id = :id"),
        {"id": period_id, "rides": rides},
    )


async def insert_use(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Store a use or a tombstone; False when the booking has one."""
    added = await session.execute(
        insert(subscription_use)
        .values(values)
        .on_conflict_do_nothing(index_elements=["booking_id"])
        .returning(subscription_use.c.booking_id)
    )
    return added.first() is not None


async def change_use(session: AsyncSession, booking_id: UUID, **values: Any) -> Row[Any]:
    """Update a use whose row is locked."""
    changed = update(subscription_use).where(subscription_use.c.booking_id == booking_id).values(**values)
    return (await session.execute(changed.returning(*subscription_use.c))).one()


async def expired_uses(session: AsyncSession, *, before: datetime, limit: int) -> list[UUID]:
    """Bookings whose reservation fell with its hold."""
    rows = await session.execute(
        select(subscription_use.c.booking_id)
        .where(subscription_use.c.status == "reserved", subscription_use.c.expires_at < before)
        .order_by(subscription_use.c.expires_at)
        .limit(limit)
    )
    return list(rows.scalars())
