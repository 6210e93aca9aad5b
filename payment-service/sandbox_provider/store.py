"""Queries of the sandbox company, and the events it owes its customers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sandbox_provider import tables


def new_name(prefix: str) -> str:
    """An id as this company writes them: `pay_0f3c...`."""
    return f"{prefix}_{uuid4().hex}"


async def by_key(session: AsyncSession, table: Table, key: str) -> Row[Any] | None:
    """The payment or refund created with this idempotency key."""
    return (await session.execute(select(table).where(table.c.idempotency_key == key))).one_or_none()


async def payment(session: AsyncSession, payment_id: str, *, lock: bool = False) -> Row[Any] | None:
    """One payment by id, locked when it is about to change."""
    query = select(tables.payment).where(tables.payment.c.id == payment_id)
    return (await session.execute(query.with_for_update() if lock else query)).one_or_none()


async def change_payment(session: AsyncSession, payment_id: str, **values: Any) -> Row[Any]:
    """Update a payment and return it."""
    return (
        await session.execute(
            update(tables.payment)
            .where(tables.payment.c.id == payment_id)
            .values(**values)
            .returning(*tables.payment.c)
        )
    ).one()


def event_body(kind: str, data: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """An event as customers receive it."""
    return {"id": new_name("evt"), "type": kind, "created": int(now.timestamp()), "data": data}


async def add_event(
    session: AsyncSession, kind: str, data: dict[str, Any], *, urls: Sequence[str], now: datetime
) -> None:
    """Store an event and what is to be delivered, in the transaction of what it tells of."""
    body = event_body(kind, data, now=now)
    await session.execute(insert(tables.event).values(id=body["id"], type=kind, body=body, created_at=now))
    for url in urls:
        await session.execute(insert(tables.delivery).values(event_id=body["id"], url=url, next_attempt_at=now))
