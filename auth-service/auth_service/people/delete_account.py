"""Forget a person: erase here, and let every other service do the same by an event.

What remains is the bare id with the instant of deletion, so that bookings, which the law keeps, still point somewhere.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.administration.last_admin import refuse_without_admins
from auth_service.bootstrap import Container
from auth_service.codes.tables import CodeRequest
from auth_service.oidc.tables import LinkedIdentity
from auth_service.partners.store import leave_organisation, revoke_keys_of
from auth_service.passwords.change import prove_password
from auth_service.people.find import account_of
from auth_service.people.tables import Account, Companion, Passport
from auth_service.people.tell import tell
from auth_service.problems import InvalidCredentials
from auth_service.sessions.revoke import end_all_sessions
from auth_service.sessions.store import add_revocations
from auth_service.sessions.tables import Revocation, Session
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor.store import remove_two_factor
from auth_service.two_factor.tables import MfaChallenge
from rihla.auth import Principal
from rihla.contracts.events import UserDeletedV1

_FRESH = timedelta(minutes=10)
_ERASED = (
    "email",
    "phone",
    "username",
    "pending_email",
    "pending_phone",
    "password_hash",
    "password_changed_at",
    "gender",
    "date_of_birth",
    "nationality",
    "location",
    "photo_url",
    "emergency_contact",
    "suspended_reason",
    "last_sign_in_at",
)


async def delete_account(c: Container, owner: Principal, password: str | None, visitor: Visitor) -> None:
    """Needs the password, or without one a sign-in of the last ten minutes.

    Raises InvalidCredentials, TooManyAttempts, LastAdmin.
    """
    await _prove(c, owner, password, visitor)
    now = c.clock.now()
    async with c.db.transaction() as session:
        account = await account_of(session, owner.user_id, lock=True)
        if "admin" in account.roles:
            await refuse_without_admins(session, account.id)
        revoked = await end_all_sessions(session, account.id, reason="deleted", now=now)
        revoked += await _revoke_everything(session, account.id, now)
        ended = await _erase_around(session, account)
        _erase(account, now)
        gone = UserDeletedV1(user_id=account.id, deleted_at=now, ended_organisation_id=ended)
        await tell(session, gone, user_id=account.id, now=now)
    await c.revocations.send(revoked)


async def _prove(c: Container, owner: Principal, password: str | None, visitor: Visitor) -> None:
    async with c.db.transaction() as session:
        account = await account_of(session, owner.user_id)
        present = await session.get(Session, owner.session_id) if owner.session_id else None
    if account.password_hash is not None:
        if password is None:
            raise InvalidCredentials("Send your password to delete the account.")
        await prove_password(c, owner.user_id, password, visitor)
    elif present is None or present.created_at < c.clock.now() - _FRESH:
        raise InvalidCredentials("Sign in again, then delete the account within ten minutes.")


async def _revoke_everything(session: AsyncSession, account_id: UUID, now: datetime) -> list[Revocation]:
    keys = await revoke_keys_of(session, account_id, now)
    return await add_revocations(session, "api_key", keys, now) + await add_revocations(
        session, "user", [account_id], now
    )


async def _erase_around(session: AsyncSession, account: Account) -> UUID | None:
    """What hangs on the account; the organisation that ended with it."""
    await session.flush()
    for table in (Passport, Companion, LinkedIdentity, MfaChallenge):
        await session.execute(delete(table).where(table.account_id == account.id))
    ended = await leave_organisation(session, account.id)
    await remove_two_factor(session, account.id)
    addresses = [address for address in (account.email, account.phone) if address]
    mine = or_(CodeRequest.identifier.in_(addresses), CodeRequest.account_id == account.id)
    await session.execute(delete(CodeRequest).where(mine))
    await session.execute(
        update(Session)
        .where(Session.account_id == account.id)
        .values(client_ip=None, device="erased")
        .execution_options(synchronize_session=False)
    )
    return ended


def _erase(account: Account, now: datetime) -> None:
    for name in _ERASED:
        setattr(account, name, None)
    account.full_name = "Deleted user"
    account.locale, account.currency, account.theme, account.customer_type = "en", "USD", "system", "individual"
    account.dietary_needs, account.assistance_needs, account.notification_channels = [], [], []
    account.roles = []
    account.status = "deleted"
    account.deleted_at = account.updated_at = now
