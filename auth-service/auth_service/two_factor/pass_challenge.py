"""The second step of a sign-in."""

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.people.tables import Account
from auth_service.problems import InvalidCode, InvalidMfaToken
from auth_service.sessions.start_session import start_session
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor import store
from auth_service.two_factor.challenge import TRIES, mfa_token_hash
from auth_service.two_factor.check_factor import check_factor


async def pass_challenge(c: Container, mfa_token: str, code: str, visitor: Visitor) -> TokenPair:
    """The pair. Raises InvalidMfaToken (unknown, used, too old, tried five times), InvalidCode, TooManyAttempts."""
    now = c.clock.now()
    counted_as = await _counted_as(c, mfa_token)
    # Who comes this far knows the password, so the account itself may be slowed down, wherever the tries come from.
    await c.attempts.admit(counted_as, None)
    pair = None
    async with c.db.transaction() as session:
        challenge = await store.challenge(session, mfa_token_hash(mfa_token), lock=True)
        if (
            challenge is None
            or challenge.used_at is not None
            or challenge.expires_at <= now
            or challenge.tries >= TRIES
        ):
            raise InvalidMfaToken("Start the sign-in again.")
        challenge.tries += 1
        account = await session.get(Account, challenge.account_id)
        if account is None or account.status != "active":
            raise InvalidMfaToken("Start the sign-in again.")
        method = await check_factor(session, c.cipher, c.code_secret, account.id, code, now)
        if method is not None:
            challenge.used_at = now
            methods = [*challenge.methods, method]
            pair = await start_session(
                session,
                account,
                visitor=visitor,
                methods=methods,
                maker=c.session_maker,
                now=now,
                second_factor=True,
            )
    if pair is None:
        await c.attempts.failed(counted_as, None)
        raise InvalidCode("The code is not right.")
    await c.attempts.succeeded(counted_as, None)
    return pair


async def _counted_as(c: Container, mfa_token: str) -> str:
    async with c.db.transaction() as session:
        challenge = await store.challenge(session, mfa_token_hash(mfa_token))
    if challenge is None:
        raise InvalidMfaToken("Start the sign-in again.")
    return f"second:{challenge.account_id}"
