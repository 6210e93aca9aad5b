"""Every query on the FAQ."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.faq.tables import faq_entry, faq_vote
from rihla.kernel import new_id

_SHOWN = [column for column in faq_entry.c if column.name != "words"]
_ORDER = (faq_entry.c.category, faq_entry.c.position, faq_entry.c.id)


async def list_entries(
    session: AsyncSession,
    *,
    language: str,
    category: str | None,
    featured: bool,
    after: tuple[str, int, UUID] | None,
    limit: int,
    published_only: bool = True,
) -> Sequence[RowMapping]:
    """By category and position."""
    query = select(*_SHOWN).where(faq_entry.c.language == language)
    if published_only:
        query = query.where(faq_entry.c.published)
    if category is not None:
        query = query.where(faq_entry.c.category == category)
    if featured:
        query = query.where(faq_entry.c.featured)
    if after is not None:
        query = query.where(tuple_(*_ORDER) > tuple_(*after))
    return (await session.execute(query.order_by(*_ORDER).limit(limit))).mappings().all()


async def search_entries(
    session: AsyncSession, language: str, words: Sequence[str], limit: int
) -> Sequence[RowMapping]:
    """Published entries with any of these words or with words that begin like them, the best first."""
    wanted = " | ".join(f"'{word}':*" for word in words)
    if not wanted:
        return []
    query_words = func.to_tsquery("simple", wanted)
    rank = func.ts_rank(faq_entry.c.words, query_words)
    query = (
        select(*_SHOWN)
        .where(faq_entry.c.language == language, faq_entry.c.published, faq_entry.c.words.op("@@")(query_words))
        .order_by(rank.desc(), faq_entry.c.helpful.desc(), faq_entry.c.id)
    )
    return (await session.execute(query.limit(limit))).mappings().all()


async def count_categories(session: AsyncSession, language: str) -> Sequence[RowMapping]:
    """Published entries by category."""
    query = (
        select(faq_entry.c.category, func.count().label("entries"))
        .where(faq_entry.c.language == language, faq_entry.c.published)
        .group_by(faq_entry.c.category)
        .order_by(faq_entry.c.category)
    )
    return (await session.execute(query)).mappings().all()


async def view_entry(session: AsyncSession, entry_id: UUID) -> RowMapping | None:
    """A published entry, counted as seen once more."""
    statement = (
        update(faq_entry)
        .where(faq_entry.c.id == entry_id, faq_entry.c.published)
        .values(views=faq_entry.c.views + 1)
        .returning(*_SHOWN)
    )
    return (await session.execute(statement)).mappings().one_or_none()


async def vote(session: AsyncSession, entry_id: UUID, user_id: UUID, helpful: bool) -> RowMapping | None:
    """One vote a person: a second one replaces the first. None for an entry that is not there."""
    locked = select(faq_entry.c.id).where(faq_entry.c.id == entry_id, faq_entry.c.published).with_for_update()
    if (await session.execute(locked)).first() is None:
        return None
    statement = insert(faq_vote).values(entry_id=entry_id, user_id=user_id, helpful=helpful)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["entry_id", "user_id"], set_={"helpful": helpful})
    )
    return await _count_votes(session, entry_id)


async def _count_votes(session: AsyncSession, entry_id: UUID) -> RowMapping:
    def votes(helpful: bool) -> Any:
        query = select(func.count()).where(faq_vote.c.entry_id == entry_id, faq_vote.c.helpful.is_(helpful))
        return query.scalar_subquery()

    statement = update(faq_entry).where(faq_entry.c.id == entry_id)
    statement = statement.values(helpful=votes(True), not_helpful=votes(False))
    return (await session.execute(statement.returning(*_SHOWN))).mappings().one()


async def add_entry(session: AsyncSession, values: dict[str, Any], now: datetime) -> RowMapping | None:
    """A new entry; None when the slug has one in this language."""
    statement = insert(faq_entry).values(id=new_id(), created_at=now, updated_at=now, **values)
    statement = statement.on_conflict_do_nothing(index_elements=["slug", "language"])
    return (await session.execute(statement.returning(*_SHOWN))).mappings().one_or_none()


async def change_entry(
    session: AsyncSession, entry_id: UUID, values: dict[str, Any], now: datetime
) -> RowMapping | None:
    """The entry with these columns changed; None when there is none."""
    statement = update(faq_entry).where(faq_entry.c.id == entry_id).values(**values, updated_at=now)
    return (await session.execute(statement.returning(*_SHOWN))).mappings().one_or_none()


async def remove_entry(session: AsyncSession, entry_id: UUID) -> bool:
    """Whether there was one."""
    statement = delete(faq_entry).where(faq_entry.c.id == entry_id).returning(faq_entry.c.id)
    return (await session.execute(statement)).first() is not None
