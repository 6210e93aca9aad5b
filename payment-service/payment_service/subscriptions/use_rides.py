"""A booking's use of a plan: reserved with the hold, consumed, given back. Each step may be repeated."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.subscriptions import store, use_store
from payment_service.subscriptions.errors import (
    SubscriptionNotActive,
    SubscriptionRidesUsedUp,
    SubscriptionUseDiffers,
    SubscriptionUseUnknown,
)
from payment_service.subscriptions.rules import Leg, Plan, plan_discount
from payment_service.subscriptions.use_schemas import PutSubscriptionUse, SubscriptionUseOut
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import get_logger

# A reservation outlives its hold by this much: booking-service gives it back itself, this is for when it cannot.
_LENIENCE: Final = timedelta(minutes=15)
_log = get_logger(__name__)


async def reserve_rides(db: Database, clock: Clock, booking_id: UUID, body: PutSubscriptionUse) -> SubscriptionUseOut:
    """Take the booking's rides from the paid month of its days, or say again what was taken.

    Raises SubscriptionNotActive, SubscriptionRouteNotCovered, SubscriptionRidesUsedUp, SubscriptionUseDiffers.
    """
    mark, now = _fingerprint(body), clock.now()
    async with db.transaction() as session:
        # The row comes first: twins of one request meet here, and the second sees what the first did.
        claim = {"booking_id": booking_id, "status": "given_back", "created_at": now, "updated_at": now}
        fresh = await use_store.insert_use(session, claim | {"fingerprint": mark})
        known = await use_store.use_of(session, booking_id, lock=True)
        assert known is not None
        if not fresh:
            return _again(known, mark)
        return _out(await _reserve(session, booking_id, body, now))


async def _reserve(session: AsyncSession, booking_id: UUID, body: PutSubscriptionUse, now: datetime) -> Row[Any]:
    owned = await store.find(session, body.subscription_id)
    if owned is None or owned.user_id != body.user_id or owned.status != "active":
        raise SubscriptionNotActive("You have no such active plan.")
    period = await _period(session, body)
    row = await store.plan(session, owned.plan_id)
    assert row is not None  # a foreign key
    legs = [Leg(one.route, one.cabin, fare) for one, fare in zip(body.segments, body.lines_minor, strict=True)]
    amount = plan_discount(Plan(tuple(row.routes), row.cabin, row.discount_basis_points), legs)
    rides = len(legs) * body.passenger_count if period.rides is not None else 0
    if rides and not await use_store.count_rides(session, period.id, rides):
        raise SubscriptionRidesUsedUp("Not enough rides of this month are left.")
    return await use_store.change_use(
        session, booking_id, status="reserved", subscription_id=owned.id, period_id=period.id, segments=len(legs),
        rides=rides, rides_counted=rides, discount_minor=amount, currency=body.currency, expires_at=body.expires_at,
    )  # fmt: skip


async def _period(session: AsyncSession, body: PutSubscriptionUse) -> Row[Any]:
    days = sorted(one.local_date for one in body.segments)
    period = await use_store.paid_period(session, body.subscription_id, days[0])
    if period is None or days[-1] >= period.ends_on:
        missing = days[0] if period is None else days[-1]
        raise SubscriptionNotActive(f"The paid month of this plan does not cover {missing.isoformat()}.")
    return period


async def consume_rides(db: Database, clock: Clock, booking_id: UUID) -> SubscriptionUseOut:
    """The booking is confirmed. A reservation that had fallen is counted again if there is room, and honoured anyway:
    the booking was paid at its discount. What was consumed and given back since stays given back.

    Raises SubscriptionUseUnknown.
    """
    now = clock.now()
    async with db.transaction() as session:
        known = await use_store.use_of(session, booking_id, lock=True)
        if known is None or known.period_id is None:
            raise SubscriptionUseUnknown("No rides were taken for this booking.")
        if known.consumed_at is None:
            counted = known.rides_counted
            if known.status == "given_back" and known.rides:
                counted = known.rides if await use_store.count_rides(session, known.period_id, known.rides) else 0
                if not counted:
                    _log.warning("subscription_use_over_limit", booking_id=str(booking_id))
            back = 0 if known.status == "given_back" else known.segments_back
            known = await use_store.change_use(
                session, booking_id,
                status="consumed", consumed_at=now, rides_counted=counted, segments_back=back, updated_at=now,
            )  # fmt: skip
    return _out(known)


async def release_rides(db: Database, clock: Clock, booking_id: UUID, segments: int | None) -> SubscriptionUseOut:
    """Give back so many segments in total (None: all); of an unknown booking a tombstone remains."""
    now = clock.now()
    async with db.transaction() as session:
        return _out(await release_inside(session, booking_id, segments, now=now))


async def release_inside(session: AsyncSession, booking_id: UUID, segments: int | None, *, now: datetime) -> Row[Any]:
    """`release_rides` as a part of the caller's transaction."""
    tombstone = {"booking_id": booking_id, "status": "given_back", "created_at": now, "updated_at": now}
    await use_store.insert_use(session, tombstone)
    known = await use_store.use_of(session, booking_id, lock=True)
    assert known is not None
    wanted = known.segments if segments is None else min(segments, known.segments)
    back = max(known.segments_back, wanted)
    if known.period_id is None or back == known.segments_back:
        return known
    left = known.rides * (known.segments - back) // known.segments
    returned = max(known.rides_counted - left, 0)
    if returned:
        await use_store.give_rides_back(session, known.period_id, returned)
    status = "given_back" if back == known.segments else known.status
    return await use_store.change_use(
        session, booking_id,
        status=status, segments_back=back, rides_counted=known.rides_counted - returned, updated_at=now,
    )  # fmt: skip


async def release_expired_rides(db: Database, clock: Clock, *, limit: int = 200) -> int:
    """Give back reservations whose hold is long over; how many were."""
    now = clock.now()
    async with db.transaction() as session:
        bookings = await use_store.expired_uses(session, before=now - _LENIENCE, limit=limit)
    for booking_id in bookings:
        async with db.transaction() as session:
            known = await use_store.use_of(session, booking_id, lock=True)
            if known is not None and known.status == "reserved":
                await release_inside(session, booking_id, None, now=now)
    return len(bookings)


def _again(known: Row[Any], mark: str) -> SubscriptionUseOut:
    if known.fingerprint is not None and known.fingerprint != mark:
        raise SubscriptionUseDiffers("Rides were taken for this booking with another content.")
    if known.status == "given_back":
        raise SubscriptionNotActive("The rides of this booking were given back.")
    return _out(known)


def _fingerprint(body: PutSubscriptionUse) -> str:
    content = body.model_dump(mode="json", exclude={"expires_at"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _out(known: Row[Any]) -> SubscriptionUseOut:
    return SubscriptionUseOut(**{name: getattr(known, name) for name in SubscriptionUseOut.model_fields})
