"""A month's seats at booking-service: held before the money, confirmed after it, released when there is none.

Every step is stored before booking-service is asked and after it answered; what a crash leaves between two of them is
finished by `drive_seat_plans`: seats that nobody is paying for are released, paid ones are confirmed, or the month is
refunded when they are gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions import seat_store, store
from payment_service.subscriptions.errors import SubscriptionStateConflict
from payment_service.subscriptions.refund_month import refund_month
from payment_service.subscriptions.seat_plan_client import SeatBooking, SeatPlanClient, SeatPlanLost
from payment_service.subscriptions.seat_uses import give_unflown_back, use_for_bookings
from payment_service.subscriptions.tables import subscription_period
from rihla.db import Database
from rihla.http import UpstreamUnavailable
from rihla.kernel import Clock, DomainError
from rihla.telemetry import get_logger

# booking-service keeps the seats as long as a booking's (`hold_minutes`) and a little longer than a payment may start.
PAYMENT_WINDOW: Final = timedelta(minutes=15)
GRACE: Final = timedelta(minutes=2)
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seats:
    """What holding seats needs."""

    db: Database
    clock: Clock
    client: SeatPlanClient

    async def hold(self, plan_id: UUID, traveller: Mapping[str, Any] | None) -> None:
        """Hold the month's seats; after a refusal nothing of the month is left.

        Raises SeatPlanNotPossible, SeatPlanRefused, SubscriptionStateConflict (given up meanwhile),
        UpstreamUnavailable.
        """
        async with self.db.transaction() as session:
            body = await _question(session, plan_id)
        try:
            await self.client.hold(plan_id, body | {"traveller": traveller})
        except SeatPlanLost:
            await self.give_up(plan_id)
            raise SubscriptionStateConflict("This purchase was given up; begin it anew.") from None
        except DomainError:
            await self.give_up(plan_id)
            raise
        now = self.clock.now()
        async with self.db.transaction() as session:
            row = await seat_store.find(session, plan_id)
            if row is None or row.state not in seat_store.UNPAID:
                raise SubscriptionStateConflict("This purchase was given up; begin it anew.")
            await seat_store.move(session, plan_id, "held", due_at=now + seat_store.LEASE, now=now)

    async def give_up(self, plan_id: UUID) -> None:
        """Nobody pays for these seats: release them, and end a subscription that never began."""
        now = self.clock.now()
        async with self.db.transaction() as session:
            row = await seat_store.find(session, plan_id)
            if row is not None and row.state in seat_store.UNPAID:
                await _give_up(session, row, now)

    async def drive(self, plan_id: UUID) -> None:
        """Take one seat plan a step on. An outage postpones it."""
        now = self.clock.now()
        async with self.db.transaction() as session:
            row = await seat_store.find(session, plan_id)
            if row is None or row.due_at is None:
                return
            if row.state in seat_store.UNPAID:
                if await seat_store.payment_is_open(session, row.period_id):
                    await seat_store.move(session, plan_id, row.state, due_at=now + seat_store.LEASE, now=now)
                    return
                await _give_up(session, row, now)
        try:
            await (self._confirm(plan_id) if row.state == "confirming" else self._release(plan_id))
        except UpstreamUnavailable:
            pause = min(_FIRST_PAUSE * 2 ** min(row.attempts, 10), _LONGEST_PAUSE)
            async with self.db.transaction() as session:
                later = await seat_store.find(session, plan_id)
                if later is not None and later.due_at is not None:
                    due = self.clock.now() + pause
                    await seat_store.move(session, plan_id, later.state, due_at=due, now=now, attempts=row.attempts)

    async def drive_month(self, period_id: UUID) -> None:
        """Confirm or release a month's seats at once where its payment has just ended; the worker would as well."""
        async with self.db.transaction() as session:
            row = await seat_store.newest_of(session, period_id)
        if row is not None and row.state in ("confirming", "releasing"):
            await self.drive(row.id)

    async def _confirm(self, plan_id: UUID) -> None:
        found: list[SeatBooking] | None
        try:
            found = await self.client.confirm(plan_id)
        except SeatPlanLost:
            found = None
        now = self.clock.now()
        async with self.db.transaction() as session:
            row = await seat_store.find(session, plan_id)
            if row is None or row.state != "confirming":
                return
            if found is None:
                _log.warning("seat_plan_lost", seat_plan_id=str(plan_id))
                await seat_store.move(session, plan_id, "releasing", due_at=now, now=now)
                await refund_month(session, row.period_id, now=now)
                return
            await use_for_bookings(session, row, found, now=now)
            await seat_store.move(session, plan_id, "confirmed", due_at=None, now=now)

    async def _release(self, plan_id: UUID) -> None:
        freed = await self.client.release(plan_id)
        now = self.clock.now()
        async with self.db.transaction() as session:
            row = await seat_store.find(session, plan_id)
            if row is None or row.state != "releasing":
                return
            await give_unflown_back(session, freed, now=now)
            await seat_store.move(session, plan_id, "released", due_at=None, now=now)


async def drive_seat_plans(seats: Seats, *, limit: int = 20) -> int:
    """One round over seat plans that wait for somebody; how many were looked at."""
    async with seats.db.transaction() as session:
        due = await seat_store.take_due(session, now=seats.clock.now(), limit=limit)
    for plan_id in due:
        await seats.drive(plan_id)
    return len(due)


async def _give_up(session: AsyncSession, row: Row[Any], now: datetime) -> None:
    await seat_store.move(session, row.id, "releasing", due_at=now, now=now)
    owned = await store.find(session, row.subscription_id, lock=True)
    if owned is not None and owned.status == "incomplete":
        await store.change(session, owned.id, status="cancelled", updated_at=now)
        changed = update(subscription_period).where(subscription_period.c.id == row.period_id)
        await session.execute(changed.values(status="void"))


async def _question(session: AsyncSession, plan_id: UUID) -> dict[str, Any]:
    row = await seat_store.find(session, plan_id)
    assert row is not None  # stored by the caller
    period = await store.period(session, row.period_id)
    owned = await store.find(session, row.subscription_id)
    assert period is not None  # foreign keys
    assert owned is not None
    plan = await store.plan(session, owned.plan_id)
    assert plan is not None
    return {
        "subscription_id": str(owned.id),
        "user_id": str(owned.user_id),
        "starts_on": period.starts_on.isoformat(),
        "ends_on": period.ends_on.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "cabin": plan.cabin,
        "currency": plan.currency,
        "rides": [ride | {"departure_time": ride["departure_time"][:5]} for ride in owned.travel_pattern],
    }
