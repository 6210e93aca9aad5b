"""A booking's use of a code: checked, reserved with the hold, consumed, released. Each step may be repeated."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.promos import store
from payment_service.promos.errors import (
    PromoCodeNotApplicable,
    PromoCodeNotFound,
    PromoCodeUsedUp,
    PromoUseReleased,
)
from payment_service.promos.rules import Trip, discount, free_slot
from payment_service.promos.schemas import ConsumePromoUse, PromoTrip, PromoUseOut, PutPromoUse
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import get_logger

# A reservation outlives its hold by this much: booking-service releases it itself, this is for when it cannot.
_LENIENCE: Final = timedelta(minutes=15)
_log = get_logger(__name__)


async def check_promo(db: Database, clock: Clock, body: PromoTrip) -> PromoUseOut:
    """The discount the code would give; reserves nothing. Raises as `reserve_promo`."""
    async with db.transaction() as session:
        row = await _code(session, body.code)
        amount = await _discount(session, row, body, clock.now())
        taken = await store.slots_of(session, row.id, body.user_id)
    full = row.total_limit is not None and row.used_count >= row.total_limit
    if full or (row.per_user_limit is not None and free_slot(taken, row.per_user_limit) is None):
        raise PromoCodeUsedUp("This promo code is used up.")
    return PromoUseOut(booking_id=None, code=row.code, discount_minor=amount, currency=body.currency, status="reserved")


async def reserve_promo(db: Database, clock: Clock, booking_id: UUID, body: PutPromoUse) -> PromoUseOut:
    """Take one use for the booking, or say again what was taken.

    Raises PromoCodeNotApplicable (also for an unknown code or a released use) and PromoCodeUsedUp.
    """
    try:
        async with db.transaction() as session:
            return await _reserve(session, clock.now(), booking_id, body)
    except IntegrityError:
        # A twin request stored the use first: its row is there now.
        async with db.transaction() as session:
            return await _reserve(session, clock.now(), booking_id, body)


async def _reserve(session: AsyncSession, now: datetime, booking_id: UUID, body: PutPromoUse) -> PromoUseOut:
    mark = _fingerprint(body)
    known = await store.use_of(session, booking_id, lock=True)
    if known is not None:
        return _again(known, mark)
    row = await _code(session, body.code)
    amount = await _discount(session, row, body, now)
    if not await store.count_one(session, row.id):
        raise PromoCodeUsedUp("This promo code is used up.")
    slot = None
    if row.per_user_limit is not None:
        slot = free_slot(await store.slots_of(session, row.id, body.user_id), row.per_user_limit)
        if slot is None:
            raise PromoCodeUsedUp("You have used this promo code already.")
    values = {
        "booking_id": booking_id,
        "promo_code_id": row.id,
        "user_id": body.user_id,
        "user_slot": slot,
        "discount_minor": amount,
        "currency": body.currency,
        "fingerprint": mark,
        "status": "reserved",
        "counted": True,
        "expires_at": body.expires_at,
        "created_at": now,
        "updated_at": now,
    }
    if not await store.insert_use(session, values):
        raise IntegrityError("promo use stored by a twin request", None, Exception())
    return PromoUseOut(
        booking_id=booking_id, code=row.code, discount_minor=amount, currency=body.currency, status="reserved"
    )


async def release_promo(db: Database, clock: Clock, booking_id: UUID) -> PromoUseOut:
    """Give the use back; of an unknown booking a tombstone remains, so that a late reservation is refused."""
    now = clock.now()
    async with db.transaction() as session:
        tombstone = {"booking_id": booking_id, "status": "released", "created_at": now, "updated_at": now}
        await store.insert_use(session, tombstone)
        known = await store.use_of(session, booking_id, lock=True)
        assert known is not None
        if known.status != "released":
            await _release(session, known, now)
            known = await store.use_of(session, booking_id)
            assert known is not None
    return _out(known)


async def consume_promo(db: Database, clock: Clock, booking_id: UUID, body: ConsumePromoUse) -> PromoUseOut:
    """The use is final. A reservation that had fallen is taken again if there is room, and honoured in any case.

    The booking is paid at its discount by now, so nothing is refused: a use we do not know is made from the body's
    facts, and without them the answer is `unknown`. A refusal would only be repeated for ever.
    """
    now = clock.now()
    async with db.transaction() as session:
        known = await store.use_of(session, booking_id, lock=True)
        if known is None and body.code is not None:
            await _make_lost_use(session, booking_id, body, now)
            known = await store.use_of(session, booking_id, lock=True)
        if known is None or known.promo_code_id is None:
            _log.error("promo_use_unknown", booking_id=str(booking_id))
            return PromoUseOut(booking_id=booking_id, code=None, discount_minor=0, currency=None, status="unknown")
        if known.status != "consumed":
            counted = known.counted or await store.count_one(session, known.promo_code_id)
            if not counted:
                _log.warning("promo_use_over_limit", booking_id=str(booking_id))
            await store.change_use(session, booking_id, status="consumed", counted=counted, updated_at=now)
        found = await store.use_of(session, booking_id)
        assert found is not None
    return _out(found)


async def _make_lost_use(session: AsyncSession, booking_id: UUID, body: ConsumePromoUse, now: datetime) -> None:
    row = await store.by_code(session, body.code or "")
    if row is None:
        return
    values = {
        "booking_id": booking_id,
        "promo_code_id": row.id,
        "user_id": body.user_id,
        "discount_minor": body.discount_minor or 0,
        "currency": body.currency,
        "status": "reserved",
        "expires_at": now,
        "created_at": now,
        "updated_at": now,
    }
    await store.insert_use(session, values)


async def release_expired(db: Database, clock: Clock, *, limit: int = 200) -> int:
    """Release reservations whose hold is long over; how many were."""
    now = clock.now()
    async with db.transaction() as session:
        bookings = await store.expired_uses(session, before=now - _LENIENCE, limit=limit)
    for booking_id in bookings:
        async with db.transaction() as session:
            known = await store.use_of(session, booking_id, lock=True)
            if known is not None and known.status == "reserved":
                await _release(session, known, now)
    return len(bookings)


async def _release(session: AsyncSession, known: Row[Any], now: datetime) -> None:
    await store.change_use(session, known.booking_id, status="released", counted=False, user_slot=None, updated_at=now)
    if known.counted:
        await store.give_one_back(session, known.promo_code_id)


async def _code(session: AsyncSession, code: str) -> Row[Any]:
    row = await store.by_code(session, code)
    if row is None:
        raise PromoCodeNotFound("There is no such promo code.")
    return row


async def _discount(session: AsyncSession, row: Row[Any], body: PromoTrip, now: datetime) -> int:
    first = not await store.has_paid_before(session, body.user_id) if row.first_booking_only else None
    trip = Trip(
        currency=body.currency,
        total_minor=body.total_minor,
        route=tuple(body.route),
        airlines=tuple(body.airlines),
        cabin=body.cabin,
        departure_date=body.departure_date,
        first_booking=first,
        has_discount=any(line < 0 for line in body.lines_minor),
    )
    return discount(store.promo_of(row), trip, now)


def _again(known: Row[Any], mark: str) -> PromoUseOut:
    if known.status == "released":
        raise PromoUseReleased("The use of this promo code was released.")
    if known.fingerprint != mark:
        raise PromoCodeNotApplicable("This booking uses a promo code for other content already.")
    return _out(known)


def _fingerprint(body: PutPromoUse) -> str:
    content = body.model_dump(mode="json", exclude={"expires_at"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _out(known: Row[Any]) -> PromoUseOut:
    return PromoUseOut(
        booking_id=known.booking_id,
        code=known.code,
        discount_minor=known.discount_minor,
        currency=known.currency,
        status=known.status,
    )
