"""Find people, and read what was done about them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from auth_service.administration.schemas import AuditView, UserView
from auth_service.administration.tables import AuditEntry
from auth_service.bootstrap import Container
from auth_service.people.tables import Account
from auth_service.problems import NotFound
from auth_service.sessions.list_sessions import id_of
from rihla.web import Page, encode_cursor


async def search_users(
    c: Container, *, query: str | None, role: str | None, status: str | None, limit: int, cursor: dict[str, Any] | None
) -> Page[UserView]:
    """The newest first. `query` is an id, or the beginning of an e-mail address, phone number, user name or name."""
    found: Select[Any] = select(Account).order_by(Account.id.desc()).limit(limit + 1)
    if (before := id_of(cursor)) is not None:
        found = found.where(Account.id < before)
    if query:
        found = _matching(found, query.strip())
    if role:
        found = found.where(Account.roles.contains([role]))
    if status:
        found = found.where(Account.status == status)
    async with c.db.transaction() as session:
        rows = (await session.scalars(found)).all()
    items = [UserView.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next_cursor=encode_cursor({"id": str(items[-1].id)}) if len(rows) > limit else None)


async def read_user(c: Container, user_id: UUID) -> UserView:
    """One person. Raises NotFound."""
    async with c.db.transaction() as session:
        row = await session.get(Account, user_id)
    if row is None:
        raise NotFound("There is no such user.")
    return UserView.model_validate(row)


async def read_audit_log(
    c: Container, *, user_id: UUID | None, actor_id: UUID | None, limit: int, cursor: dict[str, Any] | None
) -> Page[AuditView]:
    """The newest first."""
    found = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if (before := id_of(cursor)) is not None:
        found = found.where(AuditEntry.id < before)
    if user_id is not None:
        found = found.where(AuditEntry.user_id == user_id)
    if actor_id is not None:
        found = found.where(AuditEntry.actor_id == actor_id)
    async with c.db.transaction() as session:
        rows = (await session.scalars(found)).all()
    items = [AuditView.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next_cursor=encode_cursor({"id": str(items[-1].id)}) if len(rows) > limit else None)


def _matching(found: Select[Any], text: str) -> Select[Any]:
    try:
        return found.where(Account.id == UUID(text))
    except ValueError:
        folded = text.lower()
        return found.where(
            or_(
                Account.email.startswith(folded, autoescape=True),
                Account.phone.startswith(text, autoescape=True),
                Account.username.startswith(folded, autoescape=True),
                func.lower(Account.full_name).startswith(folded, autoescape=True),
            )
        )
