"""Prove the second factor again in a session that is signed in, before money goes out (`rihla.auth.step_up`)."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.access.schemas import SteppedUpToken
from auth_service.bootstrap import Container
from auth_service.people.find import account_of
from auth_service.problems import InvalidCode, TwoFactorNotOn
from auth_service.sessions.store import session_for_update
from auth_service.sessions.tables import Session
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor import store
from auth_service.two_factor.check_factor import check_factor
from rihla.auth import Principal, Unauthenticated


async def step_up(c: Container, principal: Principal, code: str, visitor: Visitor) -> SteppedUpToken:
    """An access token that carries the proof. Raises TwoFactorNotOn, InvalidCode, TooManyAttempts, Unauthenticated."""
    user_id, now = principal.user_id, c.clock.now()
    counted_as = f"second:{user_id}"
    await c.attempts.admit(counted_as, visitor.client_ip)
    token = None
    async with c.db.transaction() as session:
        account = await account_of(session, user_id)
        row = await _live_session(session, principal)
        if await last_proof(session, row) is None:
            raise TwoFactorNotOn("Two-factor sign-in is not on, so nothing asks for it.")
        if await check_factor(session, c.cipher, c.code_secret, user_id, code, now) is not None:
            row.second_factor_at = now
            proved_at = int(now.timestamp())
            token = c.session_maker.access_token(row, account.roles, second_factor_at=proved_at, issued_at=now)
    if token is None:
        await c.attempts.failed(counted_as, visitor.client_ip)
        raise InvalidCode("The code is not right; check the clock of your telephone.")
    await c.attempts.succeeded(counted_as, visitor.client_ip)
    seconds = int(c.session_maker.access_tokens.lifetime.total_seconds())
    return SteppedUpToken(access_token=token, expires_in=seconds)


async def last_proof(session: AsyncSession, row: Session) -> int | None:
    """When a session last proved a second factor, as the claim says it: 0 for never, None where none is on."""
    device = await store.totp_device(session, row.account_id)
    if device is None or device.confirmed_at is None:
        return None
    return int(row.second_factor_at.timestamp()) if row.second_factor_at else 0


async def _live_session(session: AsyncSession, principal: Principal) -> Session:
    session_id: UUID | None = principal.session_id
    row = await session_for_update(session, session_id) if session_id else None
    if row is None or row.ended_at is not None or row.account_id != principal.user_id:
        raise Unauthenticated("This session is over; sign in again.")
    return row
