"""Queries on plans and subscriptions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions.schemas import PlanOut, SubscriptionOut
from payment_service.subscriptions.tables import subscription, subscription_period, subscription_plan
from rihla.web import MoneyModel


async def plan(session: AsyncSession, plan_id: UUID) -> Row[Any] | None:
    """One plan."""
    return (await session.execute(select(subscription_plan).where(subscription_plan.c.id == plan_id))).one_or_none()


async def plans(session: AsyncSession, *, active_only: bool) -> list[PlanOut]:
    """Plans, cheapest first."""
    query = select(subscription_plan).order_by(subscription_plan.c.price_minor, subscription_plan.c.code)
    if active_only:
        query = query.where(subscription_plan.c.active)
    return [plan_out(row) for row in await session.execute(query)]


async def find(session: AsyncSession, subscription_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """One subscription."""
    query = select(subscription).where(subscription.c.id == subscription_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def of_user(session: AsyncSession, user_id: UUID) -> list[SubscriptionOut]:
    """A person's subscriptions, newest first."""
    rows = await session.execute(
        select(subscription).where(subscription.c.user_id == user_id).order_by(subscription.c.id.desc()).limit(100)
    )
    return [await subscription_out(session, row) for row in rows.all()]


async def change(session: AsyncSession, subscription_id: UUID, **values: Any) -> Row[Any]:
    """Update a subscription whose row is locked."""
    return (
        await session.execute(
            update(subscription)
            .where(subscription.c.id == subscription_id)
            .values(version=subscription.c.version + 1, **values)
            .returning(*subscription.c)
        )
    ).one()


async def period(session: AsyncSession, period_id: UUID) -> Row[Any] | None:
    """One paid or due month."""
    query = select(subscription_period).where(subscription_period.c.id == period_id)
    return (await session.execute(query)).one_or_none()


async def due_for_renewal(session: AsyncSession, *, now: datetime, limit: int) -> list[UUID]:
    """Subscriptions whose month is over or whose renewal is to be tried again."""
    rows = await session.execute(
        select(subscription.c.id)
        .where(subscription.c.next_renewal_at <= now)
        .order_by(subscription.c.next_renewal_at)
        .limit(limit)
    )
    return list(rows.scalars())


def plan_out(row: Row[Any]) -> PlanOut:
    """A plan as the API shows it."""
    values = {name: getattr(row, name) for name in PlanOut.model_fields if name != "price"}
    return PlanOut(**values, price=MoneyModel.of(row.price_minor, row.currency))


async def subscription_out(session: AsyncSession, row: Row[Any]) -> SubscriptionOut:
    """A subscription as the API shows it."""
    found = await plan(session, row.plan_id)
    assert found is not None  # a foreign key
    values = {name: getattr(row, name) for name in SubscriptionOut.model_fields if name != "plan"}
    return SubscriptionOut(**values, plan=plan_out(found))
