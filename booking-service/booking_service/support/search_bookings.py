"""The support view: find bookings of anybody, and read everything that happened to one."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from booking_service.bookings.errors import BookingNotFound
from booking_service.bookings.read_booking import load_booking, load_many
from booking_service.bookings.view import BookingView
from booking_service.bookings.wire import booking_document, page_json
from booking_service.bootstrap import Container
from rihla.web import InvalidCursor, encode_cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for; what is None does not narrow."""

    reference: str | None = None
    email: str | None = None
    user_id: UUID | None = None
    flight_id: UUID | None = None
    e_ticket_number: str | None = None
    status: str | None = None


_CONDITIONS = {
    "reference": "b.reference = upper(:reference)",
    "email": "lower(b.contact_email) = lower(:email)",
    "user_id": "b.user_id = :user_id",
    "flight_id": "EXISTS (SELECT 1 FROM booking_segment g WHERE g.booking_id = b.id AND g.flight_id = :flight_id "
    "AND g.replaced_at IS NULL)",
    "e_ticket_number": "EXISTS (SELECT 1 FROM ticket t WHERE t.booking_id = b.id AND t.number = :e_ticket_number)",
    "status": "b.state = :status",
}


async def search_bookings(c: Container, search: Search, *, limit: int, cursor: dict[str, Any] | None) -> bytes:
    """One page as JSON, newest first. Raises InvalidCursor."""
    wanted = {name: value for name, value in asdict(search).items() if value is not None}
    conditions = ["b.state NOT IN ('placing', 'refused')", *(_CONDITIONS[name] for name in wanted)]
    values: dict[str, Any] = {**wanted, "limit": limit + 1}
    if cursor is not None:
        try:
            values |= {"at": datetime.fromisoformat(cursor["at"]), "id": UUID(cursor["id"])}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidCursor("Start again without a cursor.") from error
        conditions.append("(b.created_at, b.id) < (:at, :id)")
    statement = text(
        f"SELECT b.id, b.created_at FROM booking b WHERE {' AND '.join(conditions)} "
        "ORDER BY b.created_at DESC, b.id DESC LIMIT :limit"
    )
    async with c.db.transaction() as session:
        rows = (await session.execute(statement, values)).all()
        shown = rows[:limit]
        views = await load_many(session, [row.id for row in shown])
    last = shown[-1] if len(rows) > limit else None
    next_cursor = encode_cursor({"at": last.created_at.isoformat(), "id": str(last.id)}) if last else None
    return page_json([booking_document(view, c.clock.now()) for view in views], next_cursor)


async def any_booking(c: Container, booking_id: UUID) -> BookingView:
    """Anybody's booking. Raises BookingNotFound."""
    async with c.db.transaction() as session:
        view = await load_booking(session, booking_id)
    if view is None:
        raise BookingNotFound("There is no such booking.")
    return view


async def timeline_of(c: Container, booking_id: UUID) -> list[Any]:
    """Everything that happened to a booking, oldest first. Raises BookingNotFound."""
    await any_booking(c, booking_id)
    async with c.db.transaction() as session:
        rows = await session.execute(
            text("SELECT at, kind, actor, detail FROM timeline WHERE booking_id = :id ORDER BY id"), {"id": booking_id}
        )
        return list(rows)
