"""A person's notices in the app."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from notification_service.delivering.resend import resend_own_mail
from notification_service.problems import problems
from notification_service.reading import store
from notification_service.reading.errors import NoticeNotFound
from notification_service.reading.schemas import MarkedRead, NotificationItem, UnreadCount
from notification_service.wording.kinds import KINDS
from notification_service.wording.render import short_text
from rihla.auth import Person
from rihla.web import InvalidCursor, Page, PageParams, container, encode_cursor, problem_responses

router = APIRouter(prefix="/v1/notifications", tags=["notifications"])
C = Annotated[Any, Depends(container)]
_COMMON = problem_responses("unauthenticated", table=problems)


@router.get(
    "",
    responses=problem_responses("unauthenticated", "invalid-cursor", "validation-failed", table=problems),
    summary="List your notifications",
)
async def list_notifications(
    c: C, who: Person, page: PageParams, unread: Annotated[bool, Query(description="Only unread ones")] = False
) -> Page[NotificationItem]:
    """Newest first, in the language you chose when each was told."""
    before = id_of_cursor(page.cursor)
    async with c.db.transaction() as session:
        rows = await store.list_notices(session, who.user_id, unread_only=unread, before=before, limit=page.limit + 1)
    shown = rows[: page.limit]
    following = encode_cursor({"id": str(shown[-1]["id"])}) if len(rows) > page.limit else None
    return Page[NotificationItem](items=[_item(row) for row in shown], next_cursor=following)


@router.get("/unread-count", responses=_COMMON, summary="Count your unread notifications")
async def count_unread_notifications(c: C, who: Person) -> UnreadCount:
    """For the badge."""
    async with c.db.transaction() as session:
        return UnreadCount(unread=await store.count_unread(session, who.user_id))


@router.post("/read-all", responses=_COMMON, summary="Mark all your notifications as read")
async def read_all_notifications(c: C, who: Person) -> MarkedRead:
    """Repeating it changes nothing."""
    async with c.db.transaction() as session:
        marked = await store.mark_all_read(session, who.user_id, c.clock.now())
    c.announcer.announce([who.user_id])
    return MarkedRead(marked=marked)


@router.post(
    "/{notification_id}/read",
    responses=problem_responses("unauthenticated", "notification-not-found", "validation-failed", table=problems),
    summary="Mark a notification as read",
)
async def read_notification(notification_id: UUID, c: C, who: Person) -> NotificationItem:
    """Repeating it keeps the first time."""
    async with c.db.transaction() as session:
        row = await store.mark_read(session, who.user_id, notification_id, c.clock.now())
    if row is None:
        raise NoticeNotFound("There is no such notification among yours.")
    c.announcer.announce([who.user_id])
    return _item(row)


@router.post(
    "/{notification_id}/resend",
    status_code=202,
    responses=problem_responses(
        "unauthenticated",
        "notification-not-found",
        "delivery-busy",
        "resent-too-soon",
        "validation-failed",
        table=problems,
    ),
    summary="Have a notification mailed to you again",
)
async def resend_notification(notification_id: UUID, c: C, who: Person) -> Response:
    """With the ticket and whatever else was attached; once a minute and five times at most."""
    await resend_own_mail(c.db, who.user_id, notification_id, domain=c.mail_domain, now=c.clock.now())
    return Response(status_code=202)


def id_of_cursor(cursor: dict[str, Any] | None) -> UUID | None:
    """The id a list goes on after. Raises InvalidCursor for a cursor of another list."""
    if cursor is None:
        return None
    try:
        return UUID(str(cursor["id"]))
    except (KeyError, ValueError) as error:
        raise InvalidCursor("Start again without a cursor.") from error


def _item(row: Any) -> NotificationItem:
    kind = KINDS[row["kind"]]
    title, text = short_text(row["kind"], row["facts"], row["locale"])
    return NotificationItem(
        id=row["id"],
        kind=row["kind"],
        category=kind.category,
        title=title,
        text=text,
        booking_id=row["booking_id"],
        urgent=kind.urgent,
        created_at=row["created_at"],
        read_at=row["read_at"],
    )
