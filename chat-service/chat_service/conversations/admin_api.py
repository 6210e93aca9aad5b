"""What the desk does with conversations."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chat_service.conversations import store
from chat_service.conversations.access import STAFF_ROLES
from chat_service.conversations.assign import hand_over, put_down, take
from chat_service.conversations.posted import Posted
from chat_service.conversations.rules import Status
from chat_service.conversations.schemas import LANGUAGE, Conversation, FeedPage, HandOver, Message
from chat_service.desk.store import note_colleague
from chat_service.live.follow import position_text, read_position
from chat_service.problems import problems
from rihla.auth import Principal, require_roles
from rihla.web import InvalidCursor, Page, PageParams, container, encode_cursor, problem_responses

router = APIRouter(prefix="/v1/admin/chat", tags=["chat"])
C = Annotated[Any, Depends(container)]
Staff = Annotated[Principal, Depends(require_roles(*STAFF_ROLES))]
_STAFF = ("unauthenticated", "forbidden", "validation-failed")
_PAGE = 200


@router.get(
    "/conversations",
    responses=problem_responses(*_STAFF, "invalid-cursor", table=problems),
    summary="List conversations",
)
async def list_all_conversations(
    c: C,
    who: Staff,
    page: PageParams,
    status: Annotated[Status | None, Query()] = None,
    mine: Annotated[bool, Query(description="Only those you have")] = False,
    language: Annotated[str | None, Query(pattern=LANGUAGE)] = None,
) -> Page[Conversation]:
    """The newest message first."""
    async with c.db.transaction() as session:
        rows = await store.list_conversations(
            session,
            status=status,
            assignee_id=who.user_id if mine else None,
            language=language,
            before=_before(page.cursor),
            limit=page.limit + 1,
        )
    shown = rows[: page.limit]
    following = None
    if len(rows) > page.limit:
        following = encode_cursor({"at": shown[-1]["last_message_at"].isoformat(), "id": str(shown[-1]["id"])})
    return Page[Conversation](items=[Conversation.of(row) for row in shown], next_cursor=following)


@router.get(
    "/feed",
    responses=problem_responses(*_STAFF, "invalid-cursor", table=problems),
    summary="Messages of all conversations, by polling",
)
async def read_feed(c: C, who: Staff, after: Annotated[str | None, Query(max_length=40)] = None) -> FeedPage:
    """Without `after` you get the present position. Going on with the `after` you were given loses nothing."""
    position = read_position(after) if after is not None else None
    if after is not None and position is None:
        raise InvalidCursor("Start again without after.")
    async with c.db.transaction() as session:
        if position is None:
            return FeedPage(items=[], after=position_text(await store.feed_end(session)))
        rows = await store.read_feed(session, position, _PAGE, settled=True)
    if rows:
        position = rows[-1]["transaction_id"], rows[-1]["position"]
    return FeedPage(items=[Message.of(row) for row in rows], after=position_text(position))


@router.post(
    "/conversations/{conversation_id}/take",
    responses=problem_responses(*_STAFF, "conversation-not-found", "conversation-taken", table=problems),
    summary="Take a conversation",
)
async def take_conversation(conversation_id: UUID, c: C, who: Staff) -> Conversation:
    """You have it until you hand it over or put it down. Administrators may take what a colleague has."""
    await _note(c, who)
    taken = await take(c.db, c.clock, who, conversation_id)
    return await _shown(c, taken)


@router.post(
    "/conversations/{conversation_id}/hand-over",
    responses=problem_responses(*_STAFF, "conversation-not-found", "not-yours", "colleague-unknown", table=problems),
    summary="Hand a conversation over",
)
async def hand_over_conversation(conversation_id: UUID, body: HandOver, c: C, who: Staff) -> Conversation:
    """To a colleague, or back to the desk."""
    return await _shown(c, await hand_over(c.db, c.clock, who, conversation_id, body.to))


@router.post(
    "/conversations/{conversation_id}/put-down",
    responses=problem_responses(*_STAFF, "conversation-not-found", "not-yours", table=problems),
    summary="Put a conversation down",
)
async def put_down_conversation(conversation_id: UUID, c: C, who: Staff) -> Conversation:
    """Nobody waits for an answer; the next message of the traveller makes it wait again."""
    place = await put_down(c.db, c.clock, who, conversation_id)
    await c.room.changed(place)
    return Conversation.of(place)


async def _note(c: Any, who: Principal) -> None:
    async with c.db.transaction() as session:
        await note_colleague(session, who.user_id, c.clock.now())


async def _shown(c: Any, outcome: Any) -> Conversation:
    if isinstance(outcome, Posted):
        await c.room.posted(outcome)
        return Conversation.of(outcome.conversation)
    return Conversation.of(outcome)


def _before(cursor: dict[str, Any] | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        at = datetime.fromisoformat(cursor["at"])
        if at.tzinfo is None:
            raise ValueError("no offset")
        return at, UUID(cursor["id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
