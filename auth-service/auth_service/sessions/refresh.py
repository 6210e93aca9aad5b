"""Exchange a refresh token for the next pair; a reused one ends its family (RFC 9700, section 4.14.2)."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.people.tables import Account
from auth_service.people.tell import notice
from auth_service.problems import InvalidRefreshToken, RefreshTokenReused
from auth_service.sessions import store
from auth_service.sessions.refresh_token import decode_refresh_token, token_hash
from auth_service.sessions.revoke import end_sessions
from auth_service.sessions.rules import Use, judge_refresh
from auth_service.sessions.tables import Revocation, Session
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor.step_up import last_proof

_AGAIN = "Sign in again."


async def refresh(c: Container, token: str, visitor: Visitor) -> TokenPair:
    """The next pair; within the grace of ten seconds the same one again. Raises InvalidRefreshToken."""
    try:
        presented = decode_refresh_token(c.session_maker.refresh_secret, token)
    except ValueError as error:
        raise InvalidRefreshToken(_AGAIN) from error
    now = c.clock.now()
    async with c.db.transaction() as session:
        row = await store.session_for_update(session, presented.family)
        if row is None or row.ended_at is not None or row.expires_at <= now:
            raise InvalidRefreshToken(_AGAIN)
        account = await session.get(Account, row.account_id)
        if account is None or account.status != "active":
            raise InvalidRefreshToken(_AGAIN)
        use = judge_refresh(
            presented=presented.generation,
            current=row.generation,
            rotated_at=row.rotated_at,
            now=now,
            grace=timedelta(seconds=c.settings.refresh_grace_seconds),
            same_as_stored=token_hash(token) == row.token_hash,
        )
        if use is Use.UNKNOWN:
            raise InvalidRefreshToken(_AGAIN)
        if use is Use.ROTATE:
            _rotate(c, row, visitor, now)
        if use is not Use.REUSE:
            proved_at = await last_proof(session, row)
            return c.session_maker.pair(row, account.roles, second_factor_at=proved_at)
        revoked = await _end_family(session, row, account, visitor, now)
    await c.revocations.send(revoked)
    raise RefreshTokenReused("This token had been used already, so the session was ended. Sign in again.")


def _rotate(c: Container, row: Session, visitor: Visitor, now: datetime) -> None:
    row.generation += 1
    row.token_hash = token_hash(c.session_maker.refresh_token(row.id, row.generation))
    row.rotated_at = now
    row.last_used_at = now
    row.expires_at = now + c.session_maker.lifetime
    row.client_ip = visitor.client_ip


async def _end_family(
    session: AsyncSession, row: Session, account: Account, visitor: Visitor, now: datetime
) -> list[Revocation]:
    revoked = await end_sessions(session, [row], reason="refresh_token_reused", now=now)
    await notice(session, account, "refresh_token_reused", now=now, client_ip=visitor.client_ip, device=row.device)
    return revoked
