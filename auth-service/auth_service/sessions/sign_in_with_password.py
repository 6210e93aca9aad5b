"""Sign in with an address or user name and a password."""

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.people.find import account_by_identifier
from auth_service.people.identifiers import Identifier, parse_identifier
from auth_service.people.tables import Account
from auth_service.problems import InvalidCredentials
from auth_service.sessions.start_session import sign_in
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor.challenge import MfaRequired


async def sign_in_with_password(
    c: Container, identifier_text: str, password: str, visitor: Visitor
) -> TokenPair | MfaRequired:
    """A pair, or the question for the second factor.

    Raises InvalidCredentials (unknown user and wrong password alike, in like time), TooManyAttempts, AccountSuspended.
    """
    identifier = _identifier(identifier_text)
    counted_as = identifier.value if identifier else identifier_text.strip().lower()
    await c.attempts.admit(counted_as, visitor.client_ip)
    account = None
    if identifier is not None:
        async with c.db.transaction() as session:
            account = await account_by_identifier(session, identifier)
    if not await c.passwords.verify(password, account.password_hash if account else None) or account is None:
        await c.attempts.failed(counted_as, visitor.client_ip)
        raise InvalidCredentials("The identifier or the password is not right.")
    await c.attempts.succeeded(counted_as, visitor.client_ip)
    stronger = await _stronger_hash(c, account, password)
    now = c.clock.now()
    async with c.db.transaction() as session:
        fresh = await session.get(Account, account.id, with_for_update=True)
        if fresh is None or fresh.password_hash != account.password_hash:
            raise InvalidCredentials("The identifier or the password is not right.")
        if stronger:
            fresh.password_hash = stronger
        return await sign_in(session, fresh, visitor=visitor, method="password", maker=c.session_maker, now=now)


def _identifier(text: str) -> Identifier | None:
    try:
        return parse_identifier(text)
    except ValueError:
        return None


async def _stronger_hash(c: Container, account: Account, password: str) -> str | None:
    if account.password_hash and c.passwords.needs_rehash(account.password_hash):
        return await c.passwords.hash(password)
    return None
