"""Queries on promo codes and their uses."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.tables import payment
from payment_service.promos.rules import Promo
from payment_service.promos.tables import promo_code, promo_use


async def by_code(session: AsyncSession, code: str) -> Row[Any] | None:
    """The code's row, whatever case it was typed in."""
    return (await session.execute(select(promo_code).where(promo_code.c.code == code.upper()))).one_or_none()


def promo_of(row: Row[Any]) -> Promo:
    """The row as the rules take it."""
    values = {name: getattr(row, name) for name in Promo.__dataclass_fields__}
    for name in ("routes", "airlines", "cabins"):
        values[name] = tuple(values[name])
    return Promo(**values)


async def has_paid_before(session: AsyncSession, user_id: UUID) -> bool:
    """Whether the person has paid for a booking before."""
    found = await session.execute(
        select(
            exists().where(payment.c.user_id == user_id, payment.c.status == "succeeded", payment.c.purpose == "charge")
        )
    )
    return bool(found.scalar_one())


async def use_of(session: AsyncSession, booking_id: UUID, *, lock: bool = False) -> Row[Any] | None:
    """The booking's use with the code's text."""
    query = (
        select(promo_use, promo_code.c.code)
        .outerjoin(promo_code, promo_code.c.id == promo_use.c.promo_code_id)
        .where(promo_use.c.booking_id == booking_id)
    )
    return (await session.execute(query.with_for_update(of=promo_use) if lock else query)).one_or_none()


async def count_one(session: AsyncSession, promo_code_id: UUID) -> bool:
    """Take one of the code's uses; False when none is left. The row's lock orders everybody who wants one."""
    counted = await session.execute(
        text(
            "UPDATE promo_code SET used_count = used_count + 1 "
            "WHERE id = :id AND active AND (total_limit IS NULL OR used_count < total_limit) RETURNING 1"
        ),
        {"id": promo_code_id},
    )
    return counted.first() is not None


async def give_one_back(session: AsyncSession, promo_code_id: UUID) -> None:
    """Return a use to the code."""
    await session.execute(
        text("UPDATE promo_code SET used_count = used_count - 1 WHERE id = :id"), {"id": promo_code_id}
    )


async def slots_of(session: AsyncSession, promo_code_id: UUID, user_id: UUID) -> set[int]:
    """The person's slots in use; read after `count_one`, under its lock."""
    rows = await session.execute(
        select(promo_use.c.user_slot).where(
            promo_use.c.promo_code_id == promo_code_id,
            promo_use.c.user_id == user_id,
            promo_use.c.user_slot.is_not(None),
        )
    )
    return {int(slot) for slot in rows.scalars() if slot is not None}


async def insert_use(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Store a use or a tombstone; False when the booking has one."""
    added = await session.execute(
        insert(promo_use)
        .values(values)
        .on_conflict_do_nothing(index_elements=["booking_id"])
        .returning(promo_use.c.booking_id)
    )
    return added.first() is not None


async def change_use(session: AsyncSession, booking_id: UUID, **values: Any) -> None:
    """Update a use whose row is locked."""
    await session.execute(update(promo_use).where(promo_use.c.booking_id == booking_id).values(**values))


async def expired_uses(session: AsyncSession, *, before: datetime, limit: int) -> list[UUID]:
    """Bookings whose reservation fell with its hold."""
    rows = await session.execute(
        select(promo_use.c.booking_id)
        .where(promo_use.c.status == "reserved", promo_use.c.expires_at < before)
        .order_by(promo_use.c.expires_at)
        .limit(limit)
    )
    return list(rows.scalars())


async def live_offers(session: AsyncSession, *, now: datetime) -> list[Row[Any]]:
    """Special offers that can be used now, the one that ends first at the top."""
    rows = await session.execute(
        select(promo_code)
        .where(
            promo_code.c.special_offer,
            promo_code.c.active,
            or_(promo_code.c.starts_at.is_(None), promo_code.c.starts_at <= now),
            or_(promo_code.c.ends_at.is_(None), promo_code.c.ends_at > now),
            or_(promo_code.c.total_limit.is_(None), promo_code.c.used_count < promo_code.c.total_limit),
        )
        .order_by(promo_code.c.ends_at.asc().nulls_last(), promo_code.c.code)
        .limit(100)
    )
    return list(rows.all())
