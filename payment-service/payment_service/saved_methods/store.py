"""Queries on saved methods and customers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.saved_methods.tables import method_customer, saved_method
from rihla.kernel import new_id

KEEPING = "stripe"
"""The provider that keeps cards."""


async def find(session: AsyncSession, method_id: UUID, user_id: UUID) -> Row[Any] | None:
    """A person's method in whatever status."""
    query = select(saved_method).where(saved_method.c.id == method_id, saved_method.c.user_id == user_id)
    return (await session.execute(query)).one_or_none()


async def open_customer(session: AsyncSession, user_id: UUID, provider: str, *, key: UUID, now: datetime) -> Row[Any]:
    """The person's customer row, made when there is none, and locked."""
    values = {"user_id": user_id, "provider": provider, "key": key, "created_at": now}
    await session.execute(insert(method_customer).values(values).on_conflict_do_nothing())
    query = select(method_customer).where(_of(user_id, provider)).with_for_update()
    return (await session.execute(query)).one()


async def customer_of(session: AsyncSession, user_id: UUID, provider: str) -> Row[Any] | None:
    return (await session.execute(select(method_customer).where(_of(user_id, provider)))).one_or_none()


async def keep_customer(session: AsyncSession, user_id: UUID, provider: str, sealed: bytes) -> None:
    """Store what the provider calls the customer, unless that is known or was erased."""
    unknown = method_customer.c.sealed.is_(None) & (method_customer.c.state != "closed")
    await session.execute(update(method_customer).where(_of(user_id, provider), unknown).values(sealed=sealed))


async def count(session: AsyncSession, user_id: UUID) -> int:
    """How many a person has or has begun."""
    query = select(func.count()).where(saved_method.c.user_id == user_id, saved_method.c.status != "removing")
    return int((await session.execute(query)).scalar_one())


async def drop_oldest_unfinished(session: AsyncSession, user_id: UUID, *, now: datetime) -> bool:
    """Give up the setup that has waited longest for its card; whether there was one."""
    unfinished = (saved_method.c.user_id == user_id) & saved_method.c.status.in_(("pending", "failed"))
    query = select(saved_method.c.id).where(unfinished).order_by(saved_method.c.id).limit(1)
    method_id = (await session.execute(query)).scalar_one_or_none()
    if method_id is None:
        return False
    return await change(session, method_id, only=("pending", "failed"), status="removing", due_at=now, attempts=0)


async def add(session: AsyncSession, values: dict[str, Any]) -> None:
    """A new method, once."""
    await session.execute(insert(saved_method).values(values).on_conflict_do_nothing())


async def active_of(session: AsyncSession, user_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Those a person may pay with, newest first."""
    mine = (saved_method.c.user_id == user_id) & (saved_method.c.status == "active")
    query = select(saved_method).where(mine).order_by(saved_method.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(saved_method.c.id < before)
    return (await session.execute(query)).all()


async def change(
    session: AsyncSession, method_id: UUID, *, only: Sequence[str], user_id: UUID | None = None, **values: Any
) -> bool:
    """Change a method in one of the statuses `only`; whether there was one."""
    query = update(saved_method).where(saved_method.c.id == method_id, saved_method.c.status.in_(only))
    if user_id is not None:
        query = query.where(saved_method.c.user_id == user_id)
    changed = await session.execute(query.values(values).returning(saved_method.c.id))
    return changed.scalar_one_or_none() is not None


async def no_default(session: AsyncSession, user_id: UUID) -> None:
    mine = (saved_method.c.user_id == user_id) & saved_method.c.is_default
    await session.execute(update(saved_method).where(mine).values(is_default=False))


async def has_default(session: AsyncSession, user_id: UUID) -> bool:
    mine = (saved_method.c.user_id == user_id) & saved_method.c.is_default
    return bool((await session.execute(select(exists().where(mine)))).scalar_one())


async def erase(session: AsyncSession, method_id: UUID, *, only: Sequence[str]) -> bool:
    """Delete a row in one of the statuses `only`; whether there was one."""
    query = delete(saved_method).where(saved_method.c.id == method_id, saved_method.c.status.in_(only))
    return (await session.execute(query.returning(saved_method.c.id))).scalar_one_or_none() is not None


async def lease_due(
    session: AsyncSession, *, now: datetime, lease_until: datetime, limit: int, method_id: UUID | None = None
) -> Sequence[Row[Any]]:
    """Methods the provider is to be asked about, with `due_at` moved so that one process has each."""
    query = select(saved_method.c.id).where(saved_method.c.due_at <= now).order_by(saved_method.c.due_at).limit(limit)
    if method_id is not None:
        query = query.where(saved_method.c.id == method_id)
    picked = query.with_for_update(skip_locked=True).cte("picked")
    values = {"due_at": lease_until, "attempts": saved_method.c.attempts + 1}
    changed = update(saved_method).where(saved_method.c.id.in_(select(picked.c.id))).values(values)
    return (await session.execute(changed.returning(*saved_method.c))).all()


async def remove_all(session: AsyncSession, user_id: UUID, *, now: datetime) -> None:
    """Everything of a person is to be detached and erased, and their customer closed: first of all, so that a request
    on its way either is seen here or sees it.
    """
    values = {"user_id": user_id, "provider": KEEPING, "key": new_id(), "state": "closed", "created_at": now}
    await session.execute(insert(method_customer).values(values).on_conflict_do_nothing())
    open_ones = (method_customer.c.user_id == user_id) & (method_customer.c.state == "open")
    await session.execute(update(method_customer).where(open_ones).values(state="closing", due_at=now))
    methods = update(saved_method).where(saved_method.c.user_id == user_id)
    await session.execute(methods.values(status="removing", is_default=False, due_at=now, attempts=0))


async def lease_closing(
    session: AsyncSession, *, now: datetime, lease_until: datetime, limit: int
) -> Sequence[Row[Any]]:
    """Customers of deleted accounts whose methods are all erased, leased as methods are."""
    left = exists().where(
        saved_method.c.user_id == method_customer.c.user_id, saved_method.c.provider == method_customer.c.provider
    )
    query = select(method_customer).where(method_customer.c.due_at <= now, ~left).limit(limit)
    rows = (await session.execute(query.with_for_update(skip_locked=True))).all()
    for row in rows:
        leased = update(method_customer).where(_of(row.user_id, row.provider)).values(due_at=lease_until)
        await session.execute(leased)
    return rows


async def close_customer(session: AsyncSession, user_id: UUID, provider: str) -> None:
    """Nothing is left but the bare id, so that a request still on its way makes no new customer."""
    closed = update(method_customer).where(_of(user_id, provider))
    await session.execute(closed.values(state="closed", sealed=None, due_at=None))


def _of(user_id: UUID, provider: str) -> Any:
    return (method_customer.c.user_id == user_id) & (method_customer.c.provider == provider)
