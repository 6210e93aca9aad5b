"""Every query on attachments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.attachments.rules import Announcement
from chat_service.attachments.tables import attachment


async def add_attachment(
    session: AsyncSession,
    attachment_id: UUID,
    owner_id: UUID,
    announced: Announcement,
    file_name: str | None,
    duration: float | None,
    now: datetime,
) -> RowMapping:
    """A pending attachment."""
    statement = attachment.insert().values(
        id=attachment_id,
        owner_id=owner_id,
        kind=announced.kind,
        media_type=announced.media_type,
        size_bytes=announced.size_bytes,
        file_name=file_name,
        duration_seconds=duration,
        state="pending",
        created_at=now,
    )
    return (await session.execute(statement.returning(*attachment.c))).mappings().one()


async def load_attachment(session: AsyncSession, attachment_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One attachment."""
    query = select(attachment).where(attachment.c.id == attachment_id)
    found = await session.execute(query.with_for_update() if lock else query)
    return found.mappings().one_or_none()


async def change_attachment(session: AsyncSession, attachment_id: UUID, **values: Any) -> RowMapping:
    """Change columns of one attachment; the row afterwards."""
    statement = update(attachment).where(attachment.c.id == attachment_id).values(**values)
    return (await session.execute(statement.returning(*attachment.c))).mappings().one()


async def to_be_erased(session: AsyncSession, unused_before: datetime, now: datetime) -> Sequence[UUID]:
    """Uploads nobody posted in time, and those that must go because their owner is gone."""
    query = select(attachment.c.id).where(
        attachment.c.state != "erased",
        or_(
            and_(attachment.c.used_at.is_(None), attachment.c.created_at < unused_before),
            attachment.c.erase_at <= now,
        ),
    )
    return (await session.execute(query.limit(200))).scalars().all()
