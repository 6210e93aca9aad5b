"""Queries on refunds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.tables import payment, payment_part
from payment_service.refunds.records import RefundPartRecord, RefundRecord
from payment_service.refunds.tables import refund, refund_part


async def insert_refund(
    session: AsyncSession, values: dict[str, Any], parts: Sequence[dict[str, Any]]
) -> tuple[RefundRecord, list[RefundPartRecord]]:
    """Store a refund with its parts."""
    row = (await session.execute(insert(refund).values(values).returning(*refund.c))).one()
    rows = await session.execute(insert(refund_part).values(list(parts)).returning(*refund_part.c))
    return RefundRecord.of(row), [RefundPartRecord.of(part) for part in rows]


async def find(session: AsyncSession, refund_id: UUID, *, lock: bool = False) -> RefundRecord | None:
    """One refund, locked when it is about to change."""
    query = select(refund).where(refund.c.id == refund_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return RefundRecord.of(row) if row else None


async def parts_of(session: AsyncSession, refund_id: UUID) -> list[RefundPartRecord]:
    """Where the refund goes."""
    rows = await session.execute(
        select(refund_part).where(refund_part.c.refund_id == refund_id).order_by(refund_part.c.id)
    )
    return [RefundPartRecord.of(row) for row in rows]


async def find_part(session: AsyncSession, provider_key: UUID) -> RefundPartRecord | None:
    """One part by its idempotency key at the provider."""
    row = (await session.execute(select(refund_part).where(refund_part.c.provider_key == provider_key))).one_or_none()
    return RefundPartRecord.of(row) if row else None


async def sent_before(session: AsyncSession, part: RefundPartRecord) -> tuple[int, bool]:
    """What other refunds of the same payment part have given back, and whether an earlier one is still open."""
    row = (
        await session.execute(
            text(
                "SELECT coalesce(sum(amount_minor) FILTER (WHERE status = 'succeeded' AND kind = 'card'), 0)::bigint, "
                "coalesce(bool_or(status = 'pending' AND kind = 'card' AND id < :id), false) "
                "FROM refund_part WHERE payment_part_id = :payment_part_id AND id <> :id"
            ),
            {"id": part.id, "payment_part_id": part.payment_part_id},
        )
    ).one()
    return int(row[0]), bool(row[1])


async def change(session: AsyncSession, refund_id: UUID, **values: Any) -> RefundRecord:
    """Update a refund whose row is locked, and count its sequence up."""
    row = (
        await session.execute(
            update(refund)
            .where(refund.c.id == refund_id)
            .values(sequence=refund.c.sequence + 1, **values)
            .returning(*refund.c)
        )
    ).one()
    return RefundRecord.of(row)


async def change_part(session: AsyncSession, part_id: UUID, **values: Any) -> RefundPartRecord:
    """Update one part; its refund's row is locked by the caller."""
    row = (
        await session.execute(
            update(refund_part).where(refund_part.c.id == part_id).values(**values).returning(*refund_part.c)
        )
    ).one()
    return RefundPartRecord.of(row)


async def take_from_part(session: AsyncSession, payment_part_id: UUID, amount_minor: int) -> None:
    """Reserve an amount of a payment part for a refund; a check constraint keeps it within what was captured."""
    await session.execute(
        update(payment_part)
        .where(payment_part.c.id == payment_part_id)
        .values(refunded_minor=payment_part.c.refunded_minor + amount_minor)
    )


async def succeeded_payment_of(session: AsyncSession, charge_id: UUID) -> UUID | None:
    """The payment that paid this charge."""
    found = await session.execute(
        select(payment.c.id).where(payment.c.charge_id == charge_id, payment.c.status == "succeeded")
    )
    return found.scalar_one_or_none()


async def lease_due(
    session: AsyncSession, *, now: datetime, lease_until: datetime, limit: int, refund_id: UUID | None = None
) -> list[RefundPartRecord]:
    """Card parts that are due for a call to their provider, leased so that one caller has each."""
    query = (
        select(refund_part.c.id)
        .where(refund_part.c.status == "pending", refund_part.c.kind == "card", refund_part.c.next_attempt_at <= now)
        .order_by(refund_part.c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if refund_id is not None:
        query = query.where(refund_part.c.refund_id == refund_id)
    ids = list((await session.execute(query)).scalars())
    if not ids:
        return []
    rows = await session.execute(
        update(refund_part)
        .where(refund_part.c.id.in_(ids))
        .values(next_attempt_at=lease_until, attempts=refund_part.c.attempts + 1)
        .returning(*refund_part.c)
    )
    return [RefundPartRecord.of(row) for row in rows]


async def search(
    session: AsyncSession,
    *,
    status: str | None,
    payment_id: UUID | None,
    user_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[RefundRecord]:
    """Refunds for operations, newest first."""
    query = select(refund).order_by(refund.c.id.desc()).limit(limit)
    wanted = {refund.c.status: status, refund.c.payment_id: payment_id, refund.c.user_id: user_id}
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(refund.c.id < before)
    return [RefundRecord.of(row) for row in await session.execute(query)]
