"""Put an event about a person into the outbox, with the account's own sequence."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.people.tables import Account
from rihla.contracts.events import EventData, UserSecurityNoticeV1, UserUpdatedV1
from rihla.db.outbox import add_event


async def tell(session: AsyncSession, event: EventData, *, user_id: UUID, now: datetime) -> None:
    """Count the account's sequence up and store the event, in the caller's transaction."""
    counted = await session.execute(
        update(Account)
        .where(Account.id == user_id)
        .values(sequence=Account.sequence + 1)
        .returning(Account.sequence)
        .execution_options(synchronize_session=False)
    )
    await add_event(session, event, aggregate_id=user_id, sequence=counted.scalar_one(), now=now)


async def notice(
    session: AsyncSession,
    account: Account,
    kind: str,
    *,
    now: datetime,
    client_ip: str | None = None,
    device: str | None = None,
) -> None:
    """Tell the owner of an account about something that concerns its safety."""
    event = UserSecurityNoticeV1.model_validate(
        {
            "user_id": account.id,
            "kind": kind,
            "email": account.email,
            "phone": account.phone,
            "locale": account.locale,
            "client_ip": client_ip,
            "device": device,
            "occurred_at": now,
        }
    )
    await tell(session, event, user_id=account.id, now=now)


async def updated(session: AsyncSession, account: Account, *, now: datetime) -> None:
    """Tell how a person is reached and addressed from now on."""
    event = UserUpdatedV1(
        user_id=account.id,
        email=account.email,
        phone=account.phone,
        full_name=account.full_name,
        locale=account.locale,
        currency=account.currency,
        updated_at=now,
    )
    await tell(session, event, user_id=account.id, now=now)
