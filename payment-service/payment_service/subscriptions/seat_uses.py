"""The rides of a seat plan's bookings: used by its confirmation, given back for those not flown at its release."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions import use_store
from payment_service.subscriptions.seat_plan_client import SeatBooking
from payment_service.subscriptions.tables import subscription_period
from payment_service.subscriptions.use_rides import release_inside


async def use_for_bookings(
    session: AsyncSession, plan: Row[Any], bookings: Sequence[SeatBooking], *, now: datetime
) -> None:
    """One ride for each booking. A month with a fifth Monday holds that ride too: standing seats have no gap."""
    fresh = 0
    for one in bookings:
        values = {
            "booking_id": one.booking_id, "subscription_id": plan.subscription_id, "period_id": plan.period_id,
            "segments": 1, "rides": 1, "rides_counted": 1, "status": "consumed", "consumed_at": now,
            "created_at": now, "updated_at": now,
        }  # fmt: skip
        fresh += await use_store.insert_use(session, values)
    used = subscription_period.c.rides_used + fresh
    await session.execute(
        update(subscription_period)
        .where(subscription_period.c.id == plan.period_id)
        .values(rides_used=used, rides=func.greatest(subscription_period.c.rides, used))
    )


async def give_unflown_back(session: AsyncSession, bookings: Sequence[SeatBooking], *, now: datetime) -> None:
    """The rides of freed seats can be used for other flights of the month."""
    for one in bookings:
        known = await use_store.use_of(session, one.booking_id)
        if known is not None and one.departure_at > now:
            await release_inside(session, one.booking_id, None, now=now)
