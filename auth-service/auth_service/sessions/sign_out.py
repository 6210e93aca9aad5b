"""Sign out: this device, another one, or all."""

from uuid import UUID

from auth_service.bootstrap import Container
from auth_service.problems import InvalidRefreshToken, NotFound
from auth_service.sessions import store
from auth_service.sessions.refresh_token import decode_refresh_token
from auth_service.sessions.revoke import end_all_sessions, end_sessions


async def sign_out_by_token(c: Container, token: str) -> None:
    """End the session a refresh token belongs to; of one that is over already nothing is said."""
    try:
        presented = decode_refresh_token(c.session_maker.refresh_secret, token)
    except ValueError as error:
        raise InvalidRefreshToken("This is not a refresh token.") from error
    await _end(c, presented.family, owner=None)


async def sign_out_session(c: Container, user_id: UUID, session_id: UUID) -> None:
    """End one session of a person. Raises NotFound for somebody else's or one that is over."""
    if not await _end(c, session_id, owner=user_id):
        raise NotFound("There is no such session.")


async def sign_out_everywhere(c: Container, user_id: UUID, *, but: UUID | None = None) -> None:
    """End every session of a person, perhaps all but the present one."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        revoked = await end_all_sessions(session, user_id, reason="signed_out", now=now, but=but)
    await c.revocations.send(revoked)


async def _end(c: Container, session_id: UUID, *, owner: UUID | None) -> bool:
    now = c.clock.now()
    async with c.db.transaction() as session:
        row = await store.session_for_update(session, session_id)
        if row is None or row.ended_at is not None or owner not in (None, row.account_id):
            return False
        revoked = await end_sessions(session, [row], reason="signed_out", now=now)
    await c.revocations.send(revoked)
    return True
