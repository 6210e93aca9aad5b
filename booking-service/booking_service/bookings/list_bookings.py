"""The caller's own bookings, page by page: stable while rows are added (keyset, not offset)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text

from booking_service.bookings.read_booking import load_many
from booking_service.bookings.wire import booking_document, page_json
from booking_service.bootstrap import Container
from rihla.auth import Principal
from rihla.web import InvalidCursor, encode_cursor

When = Literal["upcoming", "past"]


@dataclass(frozen=True, slots=True)
class _View:
    """One way to look at the list: what belongs to it, by what it is sorted, and which way."""

    column: str
    where: str
    ascending: bool


_VIEWS: dict[When | None, _View] = {
    None: _View("created_at", "true", ascending=False),
    "upcoming": _View(
        "trip_starts_at",
        "trip_ends_at > :now AND state IN ('pending_payment', 'confirmed', 'partially_cancelled', 'disrupted')",
        ascending=True,
    ),
    "past": _View("trip_starts_at", "trip_ends_at <= :now", ascending=False),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What to list. `cursor` is the position a page before ended at."""

    when: When | None
    status: str | None
    limit: int
    cursor: dict[str, Any] | None


async def list_bookings(c: Container, principal: Principal, question: Question) -> bytes:
    """One page as JSON. Raises InvalidCursor for a cursor of another list."""
    now = c.clock.now()
    looked = _VIEWS[question.when]
    values: dict[str, Any] = {
        "user_id": principal.user_id,
        "test_mode": principal.test_mode,
        "now": now,
        "status": question.status,
        "limit": question.limit + 1,
    }
    after = _after(question, looked, values)
    direction = "ASC" if looked.ascending else "DESC"
    partner = "AND test_mode = :test_mode" if principal.kind == "partner" else ""
    statement = text(
        f"SELECT id, {looked.column} AS at FROM booking WHERE user_id = :user_id {partner} "
        f"AND state NOT IN ('placing', 'refused') AND {looked.where} {after} "
        "AND (CAST(:status AS text) IS NULL OR state = :status) "
        f"ORDER BY {looked.column} {direction}, id {direction} LIMIT :limit"
    )
    async with c.db.transaction() as session:
        rows = (await session.execute(statement, values)).all()
        shown = rows[: question.limit]
        views = await load_many(session, [row.id for row in shown])
    more = len(rows) > question.limit
    cursor = _cursor(question, shown[-1]) if more else None
    return page_json([booking_document(view, now) for view in views], cursor)


def _cursor(question: Question, last: Any) -> str:
    return encode_cursor({"w": question.when, "at": last.at.isoformat(), "id": str(last.id)})


def _after(question: Question, looked: _View, values: dict[str, Any]) -> str:
    cursor = question.cursor
    if cursor is None:
        return ""
    try:
        if cursor["w"] != question.when:
            raise ValueError("a cursor of another list")
        values["after_at"] = datetime.fromisoformat(cursor["at"])
        values["after_id"] = UUID(cursor["id"])
        if values["after_at"].tzinfo is None:
            raise ValueError("an instant without zone")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
    sign = ">" if looked.ascending else "<"
    return f"AND ({looked.column}, id) {sign} (:after_at, :after_id)"
