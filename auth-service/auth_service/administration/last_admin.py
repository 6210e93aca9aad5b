"""One administrator must always remain."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.people.tables import Account
from auth_service.problems import LastAdmin

# Two administrators who demote each other at once must not leave nobody.
_LOCK = 7_421_103


async def refuse_without_admins(session: AsyncSession, leaving: UUID) -> None:
    """Raise LastAdmin when nobody but `leaving` administers; holds a lock until the transaction ends.

    Under READ COMMITTED the count sees what the holder of the lock before us committed.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    others = (
        select(func.count())
        .select_from(Account)
        .where(Account.roles.contains(["admin"]), Account.status == "active", Account.id != leaving)
    )
    if not await session.scalar(others):
        raise LastAdmin("Make somebody else an administrator first.")
