"""Every query on callback requests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.callbacks.tables import callback_request

_LIVE = callback_request.c.status.in_(("requested", "claimed"))


async def taken_places(session: AsyncSession, slot_at: datetime) -> list[int]:
    """Places of a slot that live requests sit on."""
    query = select(callback_request.c.place).where(callback_request.c.slot_at == slot_at, _LIVE)
    return list((await session.execute(query)).scalars())


async def count_taken(session: AsyncSession, since: datetime) -> dict[datetime, int]:
    """Live requests by slot."""
    query = select(callback_request.c.slot_at, func.count().label("taken")).where(
        callback_request.c.slot_at >= since, _LIVE
    )
    rows = (await session.execute(query.group_by(callback_request.c.slot_at))).all()
    return {row.slot_at: row.taken for row in rows}


async def live_of(session: AsyncSession, user_id: UUID) -> RowMapping | None:
    """What this person waits for."""
    query = select(callback_request).where(callback_request.c.user_id == user_id, _LIVE)
    return (await session.execute(query)).mappings().one_or_none()


async def add_callback(session: AsyncSession, values: dict[str, Any]) -> RowMapping | None:
    """A request on its place; None when somebody else sits there, or this person waits already."""
    statement = insert(callback_request).values(values).on_conflict_do_nothing().returning(*callback_request.c)
    return (await session.execute(statement)).mappings().one_or_none()


async def list_of(session: AsyncSession, user_id: UUID) -> Sequence[RowMapping]:
    """The fifty latest of a person."""
    query = select(callback_request).where(callback_request.c.user_id == user_id)
    return (await session.execute(query.order_by(callback_request.c.id.desc()).limit(50))).mappings().all()


async def queue(
    session: AsyncSession,
    *,
    status: str | None,
    language: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The soonest first."""
    query = select(callback_request)
    if status is not None:
        query = query.where(callback_request.c.status == status)
    if language is not None:
        query = query.where(callback_request.c.language == language)
    order = (callback_request.c.slot_at, callback_request.c.id)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*after))
    return (await session.execute(query.order_by(*order).limit(limit))).mappings().all()


async def load_callback(session: AsyncSession, callback_id: UUID) -> RowMapping | None:
    """One request, locked."""
    query = select(callback_request).where(callback_request.c.id == callback_id).with_for_update()
    return (await session.execute(query)).mappings().one_or_none()


async def change_callback(session: AsyncSession, callback_id: UUID, **values: Any) -> RowMapping:
    """The request with these columns changed."""
    statement = update(callback_request).where(callback_request.c.id == callback_id).values(**values)
    return (await session.execute(statement.returning(*callback_request.c))).mappings().one()
