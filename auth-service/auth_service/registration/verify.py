"""Verify: the code that came to an address turns the registration into an account, once."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.codes.ask import Asked, ask_for_code
from auth_service.codes.redeem import redeem_code
from auth_service.codes.store import latest_request
from auth_service.people.identifiers import Identifier
from auth_service.people.tables import Account
from auth_service.people.tell import tell
from auth_service.problems import InvalidCode
from auth_service.registration.tables import Registration
from auth_service.sessions.start_session import start_session
from auth_service.sessions.visitor import Visitor
from rihla.contracts.events import UserRegisteredV1
from rihla.kernel import new_id


async def verify(
    c: Container, identifier: Identifier, code: str, visitor: Visitor, request_id: UUID | None = None
) -> TokenPair:
    """The new account's first pair. Raises InvalidCode: wrong, used, too old, not of this request."""
    now = c.clock.now()
    pair = None
    async with c.db.transaction() as session:
        request = await redeem_code(
            session,
            purpose="verify",
            identifier=identifier.value,
            code=code,
            now=now,
            policy=c.code_policy,
            secret=c.code_secret,
            request_id=request_id,
        )
        registration = await session.get(Registration, request.id) if request else None
        if registration is not None:
            account = await _open_account(session, identifier, registration, now)
            await session.delete(registration)
            if account is not None:
                pair = await start_session(
                    session, account, visitor=visitor, methods=["code"], maker=c.session_maker, now=now
                )
    if pair is None:
        raise InvalidCode("The code is wrong, was used, or has expired. Ask for a new one.")
    return pair


async def resend(c: Container, identifier: Identifier, visitor: Visitor) -> Asked:
    """Another code for the registration that waits under this address; alike when none does. Raises TooManyCodes."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        waiting = await latest_request(session, "verify", identifier.value)
        typed = await session.get(Registration, waiting.id) if waiting and waiting.used_at is None else None
        asked = await ask_for_code(
            session,
            purpose="verify",
            identifier=identifier,
            locale=waiting.locale if waiting else "en",
            client_ip=visitor.client_ip,
            now=now,
            policy=c.code_policy,
        )
        if asked.fresh and typed is not None:
            session.add(
                Registration(
                    request_id=asked.request_id,
                    password_hash=typed.password_hash,
                    details=typed.details,
                    created_at=now,
                )
            )
    return asked


async def _open_account(
    session: AsyncSession, identifier: Identifier, registration: Registration, now: datetime
) -> Account | None:
    """The new account; None when the address got an owner in another way meanwhile (the constraint says so)."""
    account = new_account(registration.details, password_hash=registration.password_hash, now=now)
    setattr(account, identifier.kind, identifier.value)
    setattr(account, f"pending_{identifier.kind}", None)
    try:
        async with session.begin_nested():
            session.add(account)
    except IntegrityError:
        return None
    await tell_registered(session, account, now)
    return account


def new_account(details: dict[str, Any], *, password_hash: str | None, now: datetime) -> Account:
    """An active traveller. What was typed besides the proven address waits as pending."""
    born = details.get("date_of_birth")
    return Account(
        id=new_id(),
        roles=["traveller"],
        password_hash=password_hash,
        password_changed_at=now if password_hash else None,
        created_at=now,
        updated_at=now,
        pending_email=details.get("email"),
        pending_phone=details.get("phone"),
        full_name=details["full_name"],
        locale=details.get("locale") or "en",
        currency=details.get("currency") or "USD",
        gender=details.get("gender"),
        date_of_birth=date.fromisoformat(born) if born else None,
        nationality=details.get("nationality"),
        location=details.get("location"),
        photo_url=details.get("photo_url"),
        customer_type=details.get("customer_type") or "individual",
    )


async def tell_registered(session: AsyncSession, account: Account, now: datetime) -> None:
    """`user.registered.v1`: the account is active."""
    event = UserRegisteredV1(
        user_id=account.id,
        email=account.email,
        phone=account.phone,
        full_name=account.full_name,
        locale=account.locale,
        currency=account.currency,
        registered_at=now,
    )
    await tell(session, event, user_id=account.id, now=now)
