"""Every query on accounts."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.people.tables import account


async def blocked_among(session: AsyncSession, user_ids: Iterable[UUID]) -> set[UUID]:
    """Those who may not take part at present."""
    query = select(account.c.user_id).where(
        account.c.user_id.in_(list(user_ids)), or_(account.c.suspended, account.c.deleted_at.is_not(None))
    )
    return set((await session.execute(query)).scalars())


async def remember_suspension(session: AsyncSession, user_id: UUID, *, suspended: bool, sequence: int) -> None:
    """Keep the newest word on an account; an older one changes nothing."""
    statement = insert(account).values(user_id=user_id, suspended=suspended, sequence=sequence)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id"],
            set_={"suspended": suspended, "sequence": sequence},
            where=account.c.sequence < sequence,
        )
    )


async def remember_deletion(session: AsyncSession, user_id: UUID, deleted_at: datetime, sequence: int) -> None:
    """Keep that the account is gone for good."""
    statement = insert(account).values(user_id=user_id, suspended=False, sequence=sequence, deleted_at=deleted_at)
    await session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_={"deleted_at": deleted_at}))


async def forget_events(session: AsyncSession, user_id: UUID) -> None:
    """Events about this person that have not left yet need not leave any more."""
    await session.execute(text("DELETE FROM outbox WHERE envelope->'data'->>'user_id' = :id"), {"id": str(user_id)})
