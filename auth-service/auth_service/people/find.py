"""Find accounts; other capabilities ask here."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.people.identifiers import Identifier
from auth_service.people.tables import Account
from auth_service.problems import NotFound


async def account_by_address(session: AsyncSession, address: str) -> Account | None:
    """The account whose verified e-mail address or phone number this is."""
    found: Account | None = await session.scalar(
        select(Account).where(or_(Account.email == address, Account.phone == address))
    )
    return found


async def account_by_identifier(session: AsyncSession, identifier: Identifier) -> Account | None:
    """The account with this verified address or this user name."""
    column = {"email": Account.email, "phone": Account.phone, "username": Account.username}[identifier.kind]
    found: Account | None = await session.scalar(select(Account).where(column == identifier.value))
    return found


async def account_of(session: AsyncSession, user_id: UUID, *, lock: bool = False) -> Account:
    """The account, unless it was deleted. Raises NotFound."""
    account = await session.get(Account, user_id, with_for_update=lock)
    if account is None or account.status == "deleted":
        raise NotFound("There is no such account.")
    return account
