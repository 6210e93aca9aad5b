"""The devices a person is signed in on."""

from typing import Any
from uuid import UUID

from auth_service.bootstrap import Container
from auth_service.sessions import store
from auth_service.sessions.schemas import SessionView
from rihla.auth import Principal
from rihla.web import InvalidCursor, Page, encode_cursor


async def list_own_sessions(
    c: Container, owner: Principal, limit: int, cursor: dict[str, Any] | None
) -> Page[SessionView]:
    """One page, the newest session first."""
    before = id_of(cursor)
    async with c.db.transaction() as session:
        live = await store.live_sessions(session, owner.user_id, c.clock.now())
    rows = [row for row in live if before is None or row.id < before]
    items = [
        SessionView(
            id=row.id,
            device=row.device,
            client_ip=row.client_ip,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            methods=row.methods,
            current=row.id == owner.session_id,
        )
        for row in rows[:limit]
    ]
    return Page(items=items, next_cursor=encode_cursor({"id": str(items[-1].id)}) if len(rows) > limit else None)


def id_of(cursor: dict[str, Any] | None) -> UUID | None:
    """The id a cursor stands at. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        return UUID(str(cursor["id"]))
    except (KeyError, ValueError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
