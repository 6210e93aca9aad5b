"""What administrators do about people: roles, suspending, restoring. Every change is in the audit log."""

from collections.abc import Sequence
from uuid import UUID

from auth_service.administration.audit import record
from auth_service.administration.last_admin import refuse_without_admins
from auth_service.administration.permissions import ROLES
from auth_service.administration.schemas import UserView
from auth_service.bootstrap import Container
from auth_service.people.find import account_of
from auth_service.people.tell import tell
from auth_service.sessions.revoke import end_all_sessions
from auth_service.sessions.store import add_revocations
from auth_service.sessions.visitor import Visitor
from rihla.auth import Principal
from rihla.contracts.events import UserSuspendedV1


async def change_roles(
    c: Container, actor: Principal, user_id: UUID, roles: Sequence[str], visitor: Visitor
) -> UserView:
    """Set the roles. Taking one away ends the person's sessions, so that no token keeps it. Raises LastAdmin."""
    now = c.clock.now()
    wanted: list[str] = [role for role in ROLES if role in roles]
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        before = list(account.roles)
        if "admin" in before and "admin" not in wanted:
            await refuse_without_admins(session, user_id)
        account.roles = wanted
        account.updated_at = now
        lost = set(before) - set(wanted)
        revoked = await end_all_sessions(session, user_id, reason="role_removed", now=now) if lost else []
        if before != wanted:
            await record(
                session, actor, "user.roles_changed", user_id, {"before": before, "after": wanted}, visitor, now
            )
        view = UserView.model_validate(account)
    await c.revocations.send(revoked)
    return view


async def suspend(c: Container, actor: Principal, user_id: UUID, reason: str, visitor: Visitor) -> UserView:
    """Nobody signs in to the account any more, and every token of it ends within seconds. Raises LastAdmin."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        if account.status == "suspended":
            return UserView.model_validate(account)
        if "admin" in account.roles:
            await refuse_without_admins(session, user_id)
        account.status = "suspended"
        account.suspended_at = account.updated_at = now
        account.suspended_reason = reason
        revoked = await end_all_sessions(session, user_id, reason="suspended", now=now)
        revoked += await add_revocations(session, "user", [user_id], now)
        await tell(session, UserSuspendedV1(user_id=user_id, suspended=True, reason=reason), user_id=user_id, now=now)
        await record(session, actor, "user.suspended", user_id, {"reason": reason}, visitor, now)
        view = UserView.model_validate(account)
    await c.revocations.send(revoked)
    return view


async def restore(c: Container, actor: Principal, user_id: UUID, visitor: Visitor) -> UserView:
    """The person may sign in again."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        if account.status == "suspended":
            account.status = "active"
            account.suspended_at = account.suspended_reason = None
            account.updated_at = now
            await tell(session, UserSuspendedV1(user_id=user_id, suspended=False), user_id=user_id, now=now)
            await record(session, actor, "user.restored", user_id, {}, visitor, now)
        return UserView.model_validate(account)
