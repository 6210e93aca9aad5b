"""Change the password of somebody signed in, who proves to know the present one."""

from uuid import UUID

from auth_service.bootstrap import Container
from auth_service.passwords.check import refuse_weak_password
from auth_service.people.find import account_of
from auth_service.people.tell import notice
from auth_service.problems import InvalidCredentials
from auth_service.sessions.revoke import end_all_sessions
from auth_service.sessions.visitor import Visitor


async def change_password(
    c: Container, user_id: UUID, session_id: UUID | None, current: str, new: str, visitor: Visitor
) -> None:
    """Ends every other session. Raises InvalidCredentials, TooManyAttempts, ValidationFailed (password)."""
    await prove_password(c, user_id, current, visitor)
    async with c.db.transaction() as session:
        account = await account_of(session, user_id)
    own_words = (account.email or "", account.phone or "", account.full_name)
    refuse_weak_password(new, own_words=own_words, field="new_password")
    password_hash = await c.passwords.hash(new)
    now = c.clock.now()
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        account.password_hash = password_hash
        account.password_changed_at = now
        revoked = await end_all_sessions(session, user_id, reason="password_changed", now=now, but=session_id)
        await notice(session, account, "password_changed", now=now, client_ip=visitor.client_ip, device=visitor.device)
    await c.revocations.send(revoked)


async def prove_password(c: Container, user_id: UUID, password: str, visitor: Visitor) -> None:
    """The person at the keyboard knows the password. Raises InvalidCredentials, TooManyAttempts."""
    counted_as = f"own:{user_id}"
    await c.attempts.admit(counted_as, visitor.client_ip)
    async with c.db.transaction() as session:
        account = await account_of(session, user_id)
    if not await c.passwords.verify(password, account.password_hash):
        await c.attempts.failed(counted_as, visitor.client_ip)
        raise InvalidCredentials("The present password is not right.")
    await c.attempts.succeeded(counted_as, visitor.client_ip)
