"""Password-less sign-in: ask for a code, send it back."""

from uuid import UUID

from auth_service.access.schemas import TokenPair
from auth_service.bootstrap import Container
from auth_service.codes.ask import Asked, ask_for_code
from auth_service.codes.redeem import redeem_code
from auth_service.people.find import account_by_address
from auth_service.people.identifiers import Identifier
from auth_service.problems import InvalidCode
from auth_service.sessions.start_session import sign_in
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor.challenge import MfaRequired


async def ask_for_sign_in_code(c: Container, identifier: Identifier, locale: str, visitor: Visitor) -> Asked:
    """Alike whether or not an account exists. Raises TooManyCodes."""
    async with c.db.transaction() as session:
        return await ask_for_code(
            session,
            purpose="login",
            identifier=identifier,
            locale=locale,
            client_ip=visitor.client_ip,
            now=c.clock.now(),
            policy=c.code_policy,
        )


async def sign_in_with_code(
    c: Container, identifier: Identifier, code: str, visitor: Visitor, request_id: UUID | None = None
) -> TokenPair | MfaRequired:
    """A pair, or the question for the second factor. Raises InvalidCode, AccountSuspended."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        request = await redeem_code(
            session,
            purpose="login",
            identifier=identifier.value,
            code=code,
            now=now,
            policy=c.code_policy,
            secret=c.code_secret,
            request_id=request_id,
        )
        account = await account_by_address(session, identifier.value) if request else None
        if account is not None:
            return await sign_in(session, account, visitor=visitor, method="code", maker=c.session_maker, now=now)
    raise InvalidCode("The code is wrong, was used, or has expired. Ask for a new one.")
