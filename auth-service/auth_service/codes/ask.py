"""Ask for a code: store the intent, within the limits of its address. The worker sends it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.codes import store
from auth_service.codes.rules import CodePolicy, Purpose, wait_before_next
from auth_service.codes.tables import CodeRequest
from auth_service.people.identifiers import Identifier
from auth_service.problems import TooManyCodes
from rihla.kernel import new_id

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that counts now; `fresh` when this call made it. `resend_at`: when another code may be asked for."""

    request_id: UUID
    channel: str
    expires_at: datetime
    resend_at: datetime
    fresh: bool


async def ask_for_code(
    session: AsyncSession,
    *,
    purpose: Purpose,
    identifier: Identifier,
    locale: str,
    client_ip: str | None,
    now: datetime,
    policy: CodePolicy,
    account_id: UUID | None = None,
) -> Asked:
    """Part of the caller's transaction. Within a minute of an unused request nothing new is stored.

    Does the same whether or not an account exists. Raises TooManyCodes beyond ten an hour, or beyond the day's
    budget of text messages of the number or of the network address.
    """
    await store.lock_identifier(session, identifier.value)
    latest = await store.latest_request(session, purpose, identifier.value)
    if latest is not None and latest.used_at is None and latest.expires_at > now:
        wait = wait_before_next(last_asked=latest.created_at, now=now, policy=policy)
        if wait and latest.account_id == account_id:
            return Asked(latest.id, latest.channel, latest.expires_at, now + wait, fresh=False)
    await _within_limits(session, identifier, client_ip, now, policy)
    request = CodeRequest(
        id=new_id(),
        purpose=purpose,
        identifier=identifier.value,
        channel=identifier.channel,
        account_id=account_id,
        locale=locale,
        client_ip=client_ip,
        created_at=now,
        expires_at=now + policy.lifetime,
        next_attempt_at=now,
    )
    session.add(request)
    await session.flush()
    await store.wake_sender(session)
    return Asked(request.id, request.channel, request.expires_at, now + policy.resend_after, fresh=True)


async def _within_limits(
    session: AsyncSession, identifier: Identifier, client_ip: str | None, now: datetime, policy: CodePolicy
) -> None:
    if await store.asked_since(session, now - _HOUR, identifier=identifier.value) >= policy.per_hour:
        raise TooManyCodes("Ten codes an hour are the most; use the last one or come back later.", retry_after=600)
    if identifier.channel != "sms":
        return
    day = now - _DAY
    number = await store.asked_since(session, day, identifier=identifier.value)
    address = await store.asked_since(session, day, client_ip=client_ip, channel="sms") if client_ip else 0
    if number >= policy.sms_per_number_per_day or address >= policy.sms_per_address_per_day:
        raise TooManyCodes(
            "Today's text messages are used up; sign in by e-mail or come back tomorrow.", retry_after=3600
        )
