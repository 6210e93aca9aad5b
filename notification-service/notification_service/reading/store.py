"""Every query on notices as a person reads them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.telling.tables import notice


async def list_notices(
    session: AsyncSession, user_id: UUID, *, unread_only: bool, before: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Newest first, `before` an id."""
    query = select(notice).where(notice.c.user_id == user_id).order_by(notice.c.id.desc()).limit(limit)
    if unread_only:
        query = query.where(notice.c.read_at.is_(None))
    if before is not None:
        query = query.where(notice.c.id < before)
    return (await session.execute(query)).mappings().all()


async def mark_read(session: AsyncSession, user_id: UUID, notice_id: UUID, now: datetime) -> RowMapping | None:
    """The notice, read now or earlier; None when the user has no such notice."""
    statement = (
        update(notice)
        .where(notice.c.id == notice_id, notice.c.user_id == user_id)
        .values(read_at=func.coalesce(notice.c.read_at, now))
        .returning(*notice.c)
    )
    return (await session.execute(statement)).mappings().one_or_none()


async def mark_all_read(session: AsyncSession, user_id: UUID, now: datetime) -> int:
    """Mark everything unread as read; how many that was."""
    statement = (
        update(notice)
        .where(notice.c.user_id == user_id, notice.c.read_at.is_(None))
        .values(read_at=now)
        .returning(notice.c.id)
    )
    return len((await session.execute(statement)).all())


async def count_unread(session: AsyncSession, user_id: UUID) -> int:
    """How many are unread."""
    query = select(func.count()).where(notice.c.user_id == user_id, notice.c.read_at.is_(None))
    return int(await session.scalar(query) or 0)


async def badge(session: AsyncSession, user_id: UUID) -> tuple[int, UUID | None]:
    """How many are unread, and the newest notice of all."""
    newest = select(notice.c.id).where(notice.c.user_id == user_id).order_by(notice.c.id.desc()).limit(1)
    return await count_unread(session, user_id), await session.scalar(newest)
