"""Every query on colleagues and presence."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.conversations.tables import conversation
from chat_service.desk.routing import Agent
from chat_service.desk.tables import colleague, presence


async def is_colleague(session: AsyncSession, user_id: UUID) -> bool:
    """Whether somebody with this id has worked at the desk."""
    query = select(colleague.c.user_id).where(colleague.c.user_id == user_id)
    return (await session.execute(query)).first() is not None


async def note_colleague(
    session: AsyncSession,
    user_id: UUID,
    now: datetime,
    *,
    languages: Sequence[str] | None = None,
    available: bool | None = None,
) -> RowMapping:
    """Remember somebody at the desk; what is None stays as it was."""
    given = {"last_used_at": now}
    more = {name: value for name, value in (("languages", languages), ("available", available)) if value is not None}
    statement = insert(colleague).values(user_id=user_id, **given, **more)
    statement = statement.on_conflict_do_update(index_elements=["user_id"], set_={**given, **more})
    return (await session.execute(statement.returning(*colleague.c))).mappings().one()


async def list_colleagues(session: AsyncSession) -> Sequence[RowMapping]:
    """The latest first, at most 200."""
    query = select(colleague).order_by(colleague.c.last_used_at.desc(), colleague.c.user_id).limit(200)
    return (await session.execute(query)).mappings().all()


async def agents(session: AsyncSession, now: datetime) -> list[Agent]:
    """Everybody at the desk who is available and online, with how many conversations they have."""
    load = (
        select(conversation.c.assignee_id, func.count().label("open"))
        .where(conversation.c.assignee_id.is_not(None))
        .group_by(conversation.c.assignee_id)
        .subquery()
    )
    online = select(presence.c.user_id).where(presence.c.online_until > now).distinct().subquery()
    query = (
        select(colleague.c.user_id, colleague.c.languages, func.coalesce(load.c.open, 0).label("open"))
        .join(online, online.c.user_id == colleague.c.user_id)
        .outerjoin(load, load.c.assignee_id == colleague.c.user_id)
        .where(colleague.c.available)
    )
    rows = (await session.execute(query)).all()
    return [Agent(row.user_id, tuple(row.languages), row.open) for row in rows]


async def note_online(
    session: AsyncSession, user_ids: Iterable[UUID], instance_id: UUID, now: datetime, until: datetime
) -> None:
    """These people have a socket open on this instance."""
    ids = sorted(set(user_ids))
    if ids:
        await session.execute(
            text(
                "INSERT INTO presence AS p (user_id, instance_id, seen_at, online_until) "
                "SELECT u, :instance, :now, :until FROM unnest(CAST(:ids AS uuid[])) AS u "
                "ON CONFLICT (user_id, instance_id) DO UPDATE SET seen_at = excluded.seen_at, "
                "online_until = excluded.online_until"
            ),
            {"instance": instance_id, "now": now, "until": until, "ids": ids},
        )


async def note_offline(session: AsyncSession, user_id: UUID, instance_id: UUID, now: datetime) -> None:
    """The last socket of this person on this instance closed."""
    await note_online(session, [user_id], instance_id, now, now)


async def presence_of(
    session: AsyncSession, user_ids: Iterable[UUID], now: datetime
) -> dict[UUID, tuple[bool, datetime | None]]:
    """Whether each person is online, and when they were seen last."""
    query = (
        select(presence.c.user_id, func.max(presence.c.online_until) > now, func.max(presence.c.seen_at))
        .where(presence.c.user_id.in_(list(user_ids)))
        .group_by(presence.c.user_id)
    )
    rows = (await session.execute(query)).all()
    return {user_id: (online, seen) for user_id, online, seen in rows}


async def forget_presence(session: AsyncSession, before: datetime) -> None:
    """Drop rows of instances that are gone, but keep the last sight of each person."""
    newer = presence.alias("newer")
    newest = select(func.max(newer.c.seen_at)).where(newer.c.user_id == presence.c.user_id).scalar_subquery()
    await session.execute(delete(presence).where(presence.c.seen_at < before, presence.c.seen_at < newest))
