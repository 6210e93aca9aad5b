"""Every query on canned replies."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.canned.tables import canned_reply
from rihla.kernel import new_id


async def list_replies(session: AsyncSession, language: str | None) -> Sequence[RowMapping]:
    """By language and shortcut, at most 500."""
    query = select(canned_reply).order_by(canned_reply.c.language, canned_reply.c.shortcut).limit(500)
    if language is not None:
        query = query.where(canned_reply.c.language == language)
    return (await session.execute(query)).mappings().all()


async def put_reply(
    session: AsyncSession, language: str, shortcut: str, text: str, *, by_id: UUID, now: datetime
) -> RowMapping:
    """Write a reply, or write it anew."""
    words = {"text": text, "changed_by_id": by_id, "updated_at": now}
    statement = insert(canned_reply).values(id=new_id(), language=language, shortcut=shortcut, **words)
    statement = statement.on_conflict_do_update(index_elements=["language", "shortcut"], set_=words)
    return (await session.execute(statement.returning(*canned_reply.c))).mappings().one()


async def remove_reply(session: AsyncSession, language: str, shortcut: str) -> bool:
    """Whether there was one."""
    statement = delete(canned_reply).where(canned_reply.c.language == language, canned_reply.c.shortcut == shortcut)
    return (await session.execute(statement.returning(canned_reply.c.id))).first() is not None
