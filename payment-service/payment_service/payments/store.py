"""Queries on payments and their parts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.tables import payment, payment_part


async def insert_payment(
    session: AsyncSession, values: dict[str, Any], parts: Sequence[dict[str, Any]]
) -> tuple[PaymentRecord, list[PartRecord]]:
    """Store a new attempt with its parts."""
    row = (await session.execute(insert(payment).values(values).returning(*payment.c))).one()
    rows = await session.execute(insert(payment_part).values(list(parts)).returning(*payment_part.c))
    return PaymentRecord.of(row), sorted((PartRecord.of(part) for part in rows), key=lambda part: part.position)


async def find(session: AsyncSession, payment_id: UUID, *, lock: bool = False) -> PaymentRecord | None:
    """One payment, locked when it is about to change."""
    query = select(payment).where(payment.c.id == payment_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return PaymentRecord.of(row) if row else None


async def parts_of(session: AsyncSession, payment_id: UUID) -> list[PartRecord]:
    """The parts in the order they are taken."""
    rows = await session.execute(
        select(payment_part).where(payment_part.c.payment_id == payment_id).order_by(payment_part.c.position)
    )
    return [PartRecord.of(row) for row in rows]


async def find_part(
    session: AsyncSession, *, key: UUID | None = None, provider: str = "", reference: str | None = None
) -> PartRecord | None:
    """The part with this idempotency key, else the one the provider knows under this reference."""
    query = select(payment_part)
    if key is not None:
        query = query.where(payment_part.c.id == key)
    elif reference:
        query = query.where(payment_part.c.provider == provider, payment_part.c.provider_reference == reference)
    else:
        return None
    row = (await session.execute(query)).one_or_none()
    return PartRecord.of(row) if row else None


async def change(session: AsyncSession, payment_id: UUID, **values: Any) -> PaymentRecord:
    """Update a payment whose row is locked, and count its sequence up."""
    row = (
        await session.execute(
            update(payment)
            .where(payment.c.id == payment_id)
            .values(sequence=payment.c.sequence + 1, **values)
            .returning(*payment.c)
        )
    ).one()
    return PaymentRecord.of(row)


async def change_part(session: AsyncSession, part_id: UUID, **values: Any) -> PartRecord:
    """Update a part; its payment's row is locked by the caller."""
    row = (
        await session.execute(
            update(payment_part).where(payment_part.c.id == part_id).values(**values).returning(*payment_part.c)
        )
    ).one()
    return PartRecord.of(row)


async def charge_is_paid(session: AsyncSession, charge_id: UUID) -> bool:
    """Whether a payment of this charge has succeeded."""
    found = await session.execute(
        select(exists().where(payment.c.charge_id == charge_id, payment.c.status == "succeeded"))
    )
    return bool(found.scalar_one())


async def payments_of(
    session: AsyncSession,
    user_id: UUID,
    *,
    booking_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[PaymentRecord]:
    """A person's payments, newest first."""
    query = select(payment).where(payment.c.user_id == user_id).order_by(payment.c.id.desc()).limit(limit)
    if booking_id is not None:
        query = query.where(payment.c.booking_id == booking_id)
    if before is not None:
        query = query.where(payment.c.id < before)
    return [PaymentRecord.of(row) for row in await session.execute(query)]


async def search(
    session: AsyncSession,
    *,
    filters: dict[str, Any],
    created_from: datetime | None,
    created_until: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[PaymentRecord]:
    """Payments of everybody for operations; `filters` are columns of `payment` with the value each must have."""
    query = select(payment).order_by(payment.c.id.desc()).limit(limit)
    for name, value in filters.items():
        if value is not None:
            query = query.where(payment.c[name] == value)
    if created_from is not None:
        query = query.where(payment.c.created_at >= created_from)
    if created_until is not None:
        query = query.where(payment.c.created_at < created_until)
    if before is not None:
        query = query.where(payment.c.id < before)
    return [PaymentRecord.of(row) for row in await session.execute(query)]


async def lease_open(
    session: AsyncSession, *, now: datetime, lease_until: datetime, limit: int
) -> list[tuple[PaymentRecord, PartRecord]]:
    """Open card parts whose payment nobody works on, with the lease moved so that one worker has each."""
    open_parts = select(payment_part.c.payment_id).where(
        payment_part.c.status.in_(("taking", "requires_action")), payment_part.c.kind == "card"
    )
    picked = (
        select(payment.c.id)
        .where(payment.c.lease_until <= now)
        .where(or_(payment.c.status.in_(("processing", "requires_action")), payment.c.status == "failed"))
        .where(payment.c.id.in_(open_parts))
        .order_by(payment.c.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list((await session.execute(picked)).scalars())
    if not ids:
        return []
    changed = await session.execute(
        update(payment)
        .where(payment.c.id.in_(ids))
        .values(lease_until=lease_until, reconcile_attempts=payment.c.reconcile_attempts + 1)
        .returning(*payment.c)
    )
    records = {row.id: PaymentRecord.of(row) for row in changed}
    rows = await session.execute(
        select(payment_part)
        .where(
            and_(
                payment_part.c.payment_id.in_(ids),
                payment_part.c.kind == "card",
                payment_part.c.status.in_(("taking", "requires_action")),
            )
        )
        .order_by(payment_part.c.payment_id, payment_part.c.position)
    )
    return [(records[row.payment_id], PartRecord.of(row)) for row in rows]


async def postpone(session: AsyncSession, payment_id: UUID, *, lease_until: datetime) -> None:
    """Look at this payment again at `lease_until`."""
    await session.execute(update(payment).where(payment.c.id == payment_id).values(lease_until=lease_until))
