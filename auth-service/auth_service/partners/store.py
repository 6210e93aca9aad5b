"""Every query on organisations and API keys."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.partners.tables import ApiKey, Membership, Organisation


async def lock_keys_of(session: AsyncSession, user_id: UUID) -> None:
    """One key of a person is made at a time, so that the most an organisation may hold is a limit."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 43))"), {"key": str(user_id)})


async def organisation_of(session: AsyncSession, user_id: UUID) -> Organisation | None:
    """The organisation a person acts for."""
    found: Organisation | None = await session.scalar(
        select(Organisation)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.account_id == user_id)
    )
    return found


async def live_keys(
    session: AsyncSession, user_id: UUID, now: datetime, *, before: UUID | None, limit: int
) -> Sequence[ApiKey]:
    """Keys a person made that hold, the newest first."""
    query = select(ApiKey).where(
        ApiKey.account_id == user_id,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
    )
    if before is not None:
        query = query.where(ApiKey.id < before)
    return (await session.scalars(query.order_by(ApiKey.id.desc()).limit(limit))).all()


async def count_live_keys(session: AsyncSession, organisation_id: UUID, now: datetime) -> int:
    """How many keys of an organisation hold."""
    query = (
        select(func.count())
        .select_from(ApiKey)
        .where(
            ApiKey.organisation_id == organisation_id,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
        )
    )
    return int(await session.scalar(query) or 0)


async def key_by_prefix(session: AsyncSession, prefix: str) -> ApiKey | None:
    """The key with this public beginning."""
    found: ApiKey | None = await session.scalar(select(ApiKey).where(ApiKey.prefix == prefix))
    return found


async def touch(session: AsyncSession, key_id: UUID, *, now: datetime, older_than: datetime) -> None:
    """Note that a key was used, at most once a minute, so that a busy key is no hot row."""
    await session.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < older_than))
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


async def revoke_keys_of(session: AsyncSession, user_id: UUID, now: datetime) -> list[UUID]:
    """Revoke every key a person made; their ids."""
    rows = await session.scalars(
        update(ApiKey)
        .where(ApiKey.account_id == user_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.id)
        .execution_options(synchronize_session=False)
    )
    return list(rows)


async def leave_organisation(session: AsyncSession, user_id: UUID) -> UUID | None:
    """The person acts for nobody any more; an organisation without people goes, and its keys with it: its id."""
    left = await session.scalar(
        delete(Membership).where(Membership.account_id == user_id).returning(Membership.organisation_id)
    )
    if left is None:
        return None
    people = select(Membership.account_id).where(Membership.organisation_id == left)
    ended: UUID | None = await session.scalar(
        delete(Organisation).where(Organisation.id == left, ~people.exists()).returning(Organisation.id)
    )
    return ended
