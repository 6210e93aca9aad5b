"""Cancel at the end of the month, pause and resume; administrators define plans."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions import seat_store, store
from payment_service.subscriptions.calendar import renewal_at
from payment_service.subscriptions.errors import (
    PlanNotFound,
    SubscriptionExists,
    SubscriptionNotFound,
    SubscriptionStateConflict,
)
from payment_service.subscriptions.schemas import PlanIn, PlanOut, SubscriptionOut
from payment_service.subscriptions.tables import subscription_plan
from rihla.db import Database
from rihla.kernel import Clock, new_id

Change = Literal["cancel", "pause", "resume"]


async def change_subscription(
    db: Database, clock: Clock, subscription_id: UUID, user_id: UUID, what: Change
) -> SubscriptionOut:
    """Cancel, pause or resume one's own. Raises SubscriptionNotFound, SubscriptionStateConflict."""
    now = clock.now()
    async with db.transaction() as session:
        await seat_store.lock_of(session, subscription_id)
        row = await store.find(session, subscription_id, lock=True)
        if row is None or row.user_id != user_id:
            raise SubscriptionNotFound("There is no such subscription.")
        values = _changed(row, what, now)
        if values:
            row = await store.change(session, subscription_id, updated_at=now, **values)
            await _free_seats(session, row, now)
        return await store.subscription_out(session, row)


async def _free_seats(session: AsyncSession, row: Row[Any], now: datetime) -> None:
    """A pause and an end free the standing seats; what is cancelled at its month's end keeps that month's."""
    if row.status in ("paused", "cancelled"):
        await seat_store.release_of(session, now=now, states=seat_store.LIVE, subscription_id=row.id)
    elif row.cancel_at_period_end:
        await seat_store.release_of(session, now=now, states=seat_store.UNPAID, subscription_id=row.id)


def _changed(row: Row[Any], what: Change, now: datetime) -> dict[str, Any]:
    if what == "cancel":
        if row.status == "cancelled" or row.cancel_at_period_end:
            return {}
        if row.status in ("incomplete", "paused", "past_due"):
            return {"status": "cancelled", "next_renewal_at": None}
        return {"cancel_at_period_end": True}
    if what == "pause":
        if row.status == "paused":
            return {}
        if row.status != "active":
            raise SubscriptionStateConflict("Only an active subscription can be paused.")
        return {"status": "paused", "next_renewal_at": None}
    if row.status == "active":
        return {"cancel_at_period_end": False} if row.cancel_at_period_end else {}
    if row.status != "paused":
        raise SubscriptionStateConflict("Only a paused subscription can be resumed.")
    ends = datetime.combine(row.current_period_end, time(), UTC)
    if ends > now:
        standing = bool(row.travel_pattern)
        return {"status": "active", "next_renewal_at": renewal_at(row.current_period_end, standing_seats=standing)}
    # The paid month passed during the pause: a new one begins today and is collected at once.
    return {
        "status": "past_due", "current_period_end": now.date(), "anchor_day": now.day,
        "next_renewal_at": now - timedelta(seconds=1),
    }  # fmt: skip


async def list_plans(db: Database, *, active_only: bool) -> list[PlanOut]:
    """Plans, cheapest first."""
    async with db.transaction() as session:
        return await store.plans(session, active_only=active_only)


async def list_subscriptions(db: Database, user_id: UUID) -> list[SubscriptionOut]:
    """A person's own."""
    async with db.transaction() as session:
        return await store.of_user(session, user_id)


async def define_plan(db: Database, clock: Clock, body: PlanIn, plan_id: UUID | None = None) -> PlanOut:
    """A new plan, or an old one's new definition for months to come. Raises PlanNotFound, SubscriptionExists."""
    now = clock.now()
    price = body.price.money()
    values = {
        **body.model_dump(exclude={"price"}),
        "price_minor": price.amount_minor,
        "currency": price.currency,
        "updated_at": now,
    }
    try:
        async with db.transaction() as session:
            if plan_id is None:
                statement = insert(subscription_plan).values(id=new_id(), created_at=now, **values)
                row = (await session.execute(statement.returning(*subscription_plan.c))).one_or_none()
            else:
                changed = update(subscription_plan).where(subscription_plan.c.id == plan_id).values(**values)
                row = (await session.execute(changed.returning(*subscription_plan.c))).one_or_none()
    except IntegrityError as error:
        if "uq_subscription_plan_code" in str(error.orig):
            raise SubscriptionExists("There is a plan with this code.") from None
        raise
    if row is None:
        raise PlanNotFound("There is no such plan.")
    return store.plan_out(row)
