"""Forgotten passwords: ask for a code, set a new password with it."""

from uuid import UUID

from auth_service.bootstrap import Container
from auth_service.codes.ask import ask_for_code
from auth_service.codes.redeem import redeem_code
from auth_service.passwords.check import refuse_weak_password
from auth_service.people.find import account_by_address
from auth_service.people.identifiers import Identifier
from auth_service.people.tell import notice
from auth_service.problems import InvalidCode, TooManyCodes
from auth_service.sessions.revoke import end_all_sessions
from auth_service.sessions.visitor import Visitor
from rihla.telemetry import get_logger

log = get_logger(__name__)


async def forgot_password(c: Container, identifier: Identifier, locale: str, visitor: Visitor) -> None:
    """Ask for a code, and say nothing: not whether an account exists, not whether a limit was reached."""
    try:
        async with c.db.transaction() as session:
            await ask_for_code(
                session,
                purpose="password-reset",
                identifier=identifier,
                locale=locale,
                client_ip=visitor.client_ip,
                now=c.clock.now(),
                policy=c.code_policy,
            )
    except TooManyCodes:
        log.info("reset_code_over_limit")


async def reset_password(
    c: Container, identifier: Identifier, code: str, new_password: str, visitor: Visitor, request_id: UUID | None = None
) -> None:
    """Set a new password and end every session. Raises InvalidCode, ValidationFailed (password), TooBusy."""
    refuse_weak_password(new_password, own_words=(identifier.value,), field="new_password")
    password_hash = await c.passwords.hash(new_password)
    now = c.clock.now()
    revoked = None
    async with c.db.transaction() as session:
        request = await redeem_code(
            session,
            purpose="password-reset",
            identifier=identifier.value,
            code=code,
            now=now,
            policy=c.code_policy,
            secret=c.code_secret,
            request_id=request_id,
        )
        account = await account_by_address(session, identifier.value) if request else None
        if account is not None and account.status == "active":
            account.password_hash = password_hash
            account.password_changed_at = now
            revoked = await end_all_sessions(session, account.id, reason="password_reset", now=now)
            await notice(
                session, account, "password_reset", now=now, client_ip=visitor.client_ip, device=visitor.device
            )
    if revoked is None:
        raise InvalidCode("The code is wrong, was used, or has expired. Ask for a new one.")
    await c.revocations.send(revoked)
