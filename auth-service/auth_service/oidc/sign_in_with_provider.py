"""Sign in with what a provider said; open an account for somebody new; link and unlink."""

import hmac
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.oidc.rules import Identity, challenge_of
from auth_service.oidc.tables import LinkedIdentity, OidcAttempt
from auth_service.oidc.trip import hashed
from auth_service.people.find import account_by_address, account_of
from auth_service.people.identifiers import normal_email
from auth_service.people.tables import Account
from auth_service.problems import AddressInUse, LastWayIn, LinkedElsewhere, NotFound, OidcFailed
from auth_service.registration.verify import new_account, tell_registered
from auth_service.sessions.start_session import sign_in
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor.challenge import MfaRequired
from rihla.telemetry import get_logger

log = get_logger(__name__)


async def sign_in_with_provider(
    c: Container, provider: str, identity: Identity, visitor: Visitor
) -> TokenPair | MfaRequired:
    """A pair, or the question for the second factor. Raises AddressInUse, AccountSuspended."""
    now = c.clock.now()
    try:
        async with c.db.transaction() as session:
            account = await _account_for(c, session, provider, identity, now)
            return await sign_in(
                session, account, visitor=visitor, method=f"oidc:{provider}"[:20], maker=c.session_maker, now=now
            )
    except IntegrityError as error:
        # The same person came back twice at once; the other one has opened the account.
        log.warning("oidc_account_conflict", provider=provider)
        raise OidcFailed("Start again.") from error


async def redeem_ticket(c: Container, ticket: str, verifier: str) -> tuple[str, Identity]:
    """Provider and identity behind a ticket, once, for the client that began the trip. Raises OidcFailed."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        attempt = await session.scalar(
            select(OidcAttempt).where(OidcAttempt.ticket_hash == hashed(ticket)).with_for_update()
        )
        challenge = attempt.client_challenge if attempt else None
        if attempt is None or attempt.identity is None or challenge is None or attempt.expires_at <= now:
            raise OidcFailed("The ticket is unknown, used or too old; start again.")
        if not hmac.compare_digest(challenge_of(verifier), challenge):
            raise OidcFailed("The ticket belongs to another client; start again.")
        identity = Identity(**attempt.identity)
        attempt.identity = None
        return attempt.provider, identity


async def link_provider(c: Container, user_id: UUID, provider: str, identity: Identity) -> None:
    """From now on this provider's account signs in here. Raises LinkedElsewhere."""
    now = c.clock.now()
    try:
        async with c.db.transaction() as session:
            account = await account_of(session, user_id, lock=True)
            known = await session.get(LinkedIdentity, (provider, identity.subject))
            if known is None:
                session.add(_link(account, provider, identity, now))
            elif known.account_id != user_id:
                raise LinkedElsewhere("Unlink it there first.")
    except IntegrityError as error:
        raise LinkedElsewhere("Another account of this provider is linked; unlink it first.") from error


async def unlink_provider(c: Container, user_id: UUID, provider: str) -> None:
    """Raises NotFound, and LastWayIn when nothing would be left to sign in with."""
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        links = await linked(session, user_id)
        if provider not in {link.provider for link in links}:
            raise NotFound("This provider is not linked.")
        if len(links) == 1 and not (account.email or account.phone):
            raise LastWayIn("Add an e-mail address or a phone number first.")
        await session.execute(
            delete(LinkedIdentity).where(LinkedIdentity.account_id == user_id, LinkedIdentity.provider == provider)
        )


async def linked(session: AsyncSession, user_id: UUID) -> list[LinkedIdentity]:
    """The providers that sign in to an account."""
    query = select(LinkedIdentity).where(LinkedIdentity.account_id == user_id).order_by(LinkedIdentity.linked_at)
    return list(await session.scalars(query))


async def _account_for(
    c: Container, session: AsyncSession, provider: str, identity: Identity, now: datetime
) -> Account:
    known = await session.get(LinkedIdentity, (provider, identity.subject), with_for_update=True)
    if known is not None:
        known.last_used_at = now
        return await account_of(session, known.account_id, lock=True)
    trusted = identity.email_verified and c.providers[provider].provider.trusted_email
    email = _email(identity)
    owner = await account_by_address(session, email) if email else None
    if owner is not None and not trusted:
        raise AddressInUse("Sign in as usual and link this provider in your profile.")
    account = owner or _new(identity, email, trusted=trusted, now=now)
    session.add(account)
    await session.flush()
    session.add(_link(account, provider, identity, now))
    await session.flush()
    if owner is None:
        await tell_registered(session, account, now)
    return account


def _new(identity: Identity, email: str | None, *, trusted: bool, now: datetime) -> Account:
    name = identity.full_name or (email or "Traveller").partition("@")[0]
    account = new_account({"full_name": name, "email": None if trusted else email}, password_hash=None, now=now)
    account.email = email if trusted else None
    return account


def _link(account: Account, provider: str, identity: Identity, now: datetime) -> LinkedIdentity:
    return LinkedIdentity(
        provider=provider,
        subject=identity.subject,
        account_id=account.id,
        email=_email(identity),
        linked_at=now,
        last_used_at=now,
    )


def _email(identity: Identity) -> str | None:
    try:
        return normal_email(identity.email) if identity.email else None
    except ValueError:
        return None
