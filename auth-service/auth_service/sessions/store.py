"""Every query on sessions and on the revocation feed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.sessions.tables import Revocation, Session

# One writer of the feed at a time, so that numbers become visible in their own order and no reader skips one.
_FEED_LOCK = 7_421_102


async def session_for_update(session: AsyncSession, session_id: UUID) -> Session | None:
    """One session, locked until the transaction ends."""
    return await session.get(Session, session_id, with_for_update=True)


async def live_sessions(
    session: AsyncSession, user_id: UUID, now: datetime, *, lock: bool = False
) -> Sequence[Session]:
    """Sessions that have neither ended nor expired, the newest first."""
    query = (
        select(Session)
        .where(Session.account_id == user_id, Session.ended_at.is_(None), Session.expires_at > now)
        .order_by(Session.id.desc())
    )
    return (await session.scalars(query.with_for_update() if lock else query)).all()


async def knows_device(session: AsyncSession, user_id: UUID, device: str) -> bool | None:
    """Whether the account signed in from a device of this name before; None when it never signed in at all."""
    names = await session.execute(
        select(func.count(), func.count().filter(Session.device == device)).where(Session.account_id == user_id)
    )
    every, same = names.one()
    return None if every == 0 else same > 0


async def add_revocations(
    session: AsyncSession, kind: str, subjects: Sequence[UUID], now: datetime
) -> list[Revocation]:
    """Append to the feed."""
    if not subjects:
        return []
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _FEED_LOCK})
    rows = [Revocation(kind=kind, subject_id=subject, at=now) for subject in subjects]
    session.add_all(rows)
    await session.flush()
    return rows


async def revocations_after(session: AsyncSession, seq: int, limit: int) -> Sequence[Revocation]:
    """The feed after a number."""
    query = select(Revocation).where(Revocation.seq > seq).order_by(Revocation.seq).limit(limit)
    return (await session.scalars(query)).all()


async def last_revocation(session: AsyncSession) -> int:
    """The feed's newest number; 0 when it is empty."""
    return int(await session.scalar(select(func.max(Revocation.seq))) or 0)


async def forget(session: AsyncSession, *, sessions_before: datetime, revocations_before: datetime) -> None:
    """Drop sessions long over and revocations no token can outlive."""
    over = or_(Session.expires_at < sessions_before, Session.ended_at < sessions_before)
    await session.execute(delete(Session).where(over))
    await session.execute(delete(Revocation).where(Revocation.at < revocations_before))
