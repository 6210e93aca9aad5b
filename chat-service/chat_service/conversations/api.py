"""Conversations over HTTP: everything the socket does, for those who poll, and history."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from chat_service.conversations import store
from chat_service.conversations.access import refuse_blocked, visible
from chat_service.conversations.rules import Side
from chat_service.conversations.schemas import (
    Conversation,
    ConversationStart,
    Message,
    MessageList,
    NewMessage,
    Receipt,
)
from chat_service.conversations.send_message import send_message
from chat_service.desk.store import presence_of
from chat_service.live.session import note_receipt
from chat_service.problems import problems
from rihla.auth import Person
from rihla.web import Page, container, problem_responses

router = APIRouter(prefix="/v1/chat/conversations", tags=["chat"])
C = Annotated[Any, Depends(container)]
Seq = Annotated[int | None, Query(ge=0, le=2**62)]
_ONE = problem_responses("unauthenticated", "conversation-not-found", "validation-failed", table=problems)


@router.post(
    "",
    responses=problem_responses("unauthenticated", "account-suspended", "validation-failed", table=problems),
    summary="Open your conversation with support",
)
async def open_conversation(body: ConversationStart, c: C, who: Person) -> Conversation:
    """You have one conversation; opening it again gives the same one."""
    async with c.db.transaction() as session:
        await refuse_blocked(session, who.user_id)
        place = await store.ensure_conversation(session, who.user_id, body.language, c.clock.now())
    return Conversation.of(place)


@router.get("", responses=problem_responses("unauthenticated", table=problems), summary="Your conversation, in a list")
async def list_conversations(c: C, who: Person) -> Page[Conversation]:
    """Empty before you opened one."""
    async with c.db.transaction() as session:
        place = await store.conversation_of(session, who.user_id)
    return Page[Conversation](items=[Conversation.of(place)] if place is not None else [])


@router.get("/{conversation_id}", responses=_ONE, summary="Read a conversation's state")
async def read_conversation(conversation_id: UUID, c: C, who: Person) -> Conversation:
    """Unread counts, receipts of both sides, who is online and when they were seen last."""
    async with c.db.transaction() as session:
        place, _ = await visible(session, conversation_id, who)
        people = [one for one in (place["user_id"], place["assignee_id"]) if one is not None]
        found = await presence_of(session, people, c.clock.now())
    sides = {Side.TRAVELLER: place["user_id"], Side.STAFF: place["assignee_id"]}
    return Conversation.of(place, {side: found[user] for side, user in sides.items() if user in found})


@router.get("/{conversation_id}/messages", responses=_ONE, summary="Read messages")
async def list_messages(
    conversation_id: UUID,
    c: C,
    who: Person,
    after: Seq = None,
    before: Seq = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MessageList:
    """`after` for what is new, oldest first: polling with it loses nothing. `before` for history; without either the
    newest. Items are always in order of `seq`."""
    async with c.db.transaction() as session:
        place, _ = await visible(session, conversation_id, who)
        if after is not None:
            rows = list(await store.read_after(session, conversation_id, after, limit))
        else:
            rows = list(reversed(await store.read_before(session, conversation_id, before, limit)))
    return MessageList(items=[Message.of(row) for row in rows], last_seq=place["last_seq"])


@router.post(
    "/{conversation_id}/messages",
    status_code=201,
    responses={
        200: {"model": Message, "description": "The same client_id had been sent before: the message it made"},
        **problem_responses(
            "unauthenticated",
            "account-suspended",
            "conversation-not-found",
            "conversation-taken",
            "client-id-reused",
            "attachment-not-usable",
            "message-refused",
            "validation-failed",
            table=problems,
        ),
    },
    summary="Send a message",
)
async def post_message(conversation_id: UUID, body: NewMessage, c: C, who: Person, response: Response) -> Message:
    """Stored before anybody is shown it. A reply from the desk takes a conversation that nobody has."""
    posted = await send_message(c.db, c.clock, who, conversation_id, body.draft())
    await c.room.posted(posted)
    if posted.repeated:
        response.status_code = 200
    return Message.of(posted.message)


@router.post("/{conversation_id}/receipts", responses=_ONE, summary="Say what arrived and what you have seen")
async def post_receipt(conversation_id: UUID, body: Receipt, c: C, who: Person) -> Conversation:
    """Receipts only move forward; the other side is shown them at once."""
    return Conversation.of(await note_receipt(c, who, conversation_id, body.delivered_seq, body.seen_seq))
