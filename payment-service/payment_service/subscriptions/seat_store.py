"""Queries on seat plans."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.tables import payment
from payment_service.subscriptions.tables import seat_plan
from rihla.kernel import new_id

# Longer than a question to booking-service and to a payment provider together: until then nobody else drives the plan.
LEASE: Final = timedelta(seconds=120)
UNPAID: Final = ("asked", "held")
LIVE: Final = ("asked", "held", "confirming", "confirmed")


async def add(
    session: AsyncSession, *, subscription_id: UUID, period_id: UUID, expires_at: datetime, now: datetime
) -> Row[Any]:
    """A new one, about to be asked for."""
    values = {
        "id": new_id(), "subscription_id": subscription_id, "period_id": period_id, "state": "asked",
        "expires_at": expires_at, "due_at": now + LEASE, "created_at": now, "updated_at": now,
    }  # fmt: skip
    return (await session.execute(insert(seat_plan).values(**values).returning(*seat_plan.c))).one()


async def find(session: AsyncSession, plan_id: UUID) -> Row[Any] | None:
    """One seat plan, locked."""
    return (await session.execute(select(seat_plan).where(seat_plan.c.id == plan_id).with_for_update())).one_or_none()


async def newest_of(session: AsyncSession, period_id: UUID) -> Row[Any] | None:
    """The last one asked for a month, locked."""
    query = select(seat_plan).where(seat_plan.c.period_id == period_id).order_by(seat_plan.c.id.desc()).limit(1)
    return (await session.execute(query.with_for_update())).one_or_none()


async def lock_of(session: AsyncSession, subscription_id: UUID) -> None:
    """Lock a subscription's seat plans; everybody does so before the subscription itself."""
    query = select(seat_plan.c.id).where(seat_plan.c.subscription_id == subscription_id).order_by(seat_plan.c.id)
    await session.execute(query.with_for_update())


async def move(
    session: AsyncSession, plan_id: UUID, state: str, *, due_at: datetime | None, now: datetime, attempts: int = 0
) -> None:
    """Change a seat plan whose row is locked."""
    values = {"state": state, "due_at": due_at, "attempts": attempts, "updated_at": now}
    await session.execute(update(seat_plan).where(seat_plan.c.id == plan_id).values(**values))


async def release_of(session: AsyncSession, *, now: datetime, states: tuple[str, ...], **owner: UUID) -> None:
    """Have the worker release the seat plans of a subscription or a month that are in one of `states`."""
    [(column, value)] = owner.items()
    await session.execute(
        update(seat_plan)
        .where(seat_plan.c[column] == value, seat_plan.c.state.in_(states))
        .values(state="releasing", due_at=now, attempts=0, updated_at=now)
    )


async def take_due(session: AsyncSession, *, now: datetime, limit: int) -> list[UUID]:
    """Seat plans to look at; each is somebody's for a lease."""
    rows = await session.execute(
        text(
            "UPDATE seat_plan SET due_at = :until, attempts = attempts + 1 WHERE id IN (SELECT id FROM seat_plan "
            "WHERE due_at <= :now ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id"
        ),
        {"now": now, "until": now + LEASE, "limit": limit},
    )
    return list(rows.scalars())


async def payment_is_open(session: AsyncSession, period_id: UUID) -> bool:
    """Whether somebody is still paying for the month."""
    query = select(payment.c.id).where(
        payment.c.subscription_period_id == period_id, payment.c.status.in_(("processing", "requires_action"))
    )
    return (await session.execute(query)).first() is not None
