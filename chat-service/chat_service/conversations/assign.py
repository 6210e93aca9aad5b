"""Who at the desk has a conversation: taking it, handing it over, putting it down."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.conversations import store
from chat_service.conversations.access import visible
from chat_service.conversations.errors import ColleagueUnknown, ConversationTaken, NotYours
from chat_service.conversations.posted import Posted
from chat_service.conversations.rules import Draft, MessageType, Status
from chat_service.desk.store import is_colleague
from rihla.auth import Principal
from rihla.db import Database
from rihla.kernel import Clock


async def take(db: Database, clock: Clock, principal: Principal, conversation_id: UUID) -> Posted | RowMapping:
    """The caller has the conversation from now on; taking one's own again changes nothing.

    Raises ConversationTaken when a colleague has it, unless the caller is an administrator.
    """
    async with db.transaction() as session:
        place, _ = await visible(session, conversation_id, principal, lock=True)
        if place["assignee_id"] == principal.user_id:
            return place
        if place["assignee_id"] is not None and not principal.has_role("admin"):
            raise ConversationTaken("A colleague has this conversation; ask for it to be handed over.")
        return await _assign(session, place, principal.user_id, "Somebody from support joined.", clock.now())


async def hand_over(db: Database, clock: Clock, principal: Principal, conversation_id: UUID, to: UUID | None) -> Posted:
    """Give the conversation to a colleague, or (None) back to the desk, where it waits.

    Raises NotYours unless the caller has it or is an administrator, ColleagueUnknown for an id nobody there has.
    """
    async with db.transaction() as session:
        place, _ = await visible(session, conversation_id, principal, lock=True)
        if place["assignee_id"] != principal.user_id and not principal.has_role("admin"):
            raise NotYours("Take the conversation before you hand it over.")
        if to is not None and not await is_colleague(session, to):
            raise ColleagueUnknown("Nobody at the desk has this id.")
        words = "Your conversation was handed to a colleague." if to else "Somebody from support will be with you soon."
        return await _assign(session, place, to, words, clock.now())


async def put_down(db: Database, clock: Clock, principal: Principal, conversation_id: UUID) -> RowMapping:
    """The matter is settled: nobody has the conversation until the traveller writes again. Raises NotYours."""
    async with db.transaction() as session:
        place, _ = await visible(session, conversation_id, principal, lock=True)
        if place["assignee_id"] not in (None, principal.user_id) and not principal.has_role("admin"):
            raise NotYours("A colleague has this conversation.")
        return await store.change_conversation(
            session, conversation_id, status=Status.IDLE, assignee_id=None, waiting_since=None
        )


async def _assign(
    session: AsyncSession, place: RowMapping, assignee_id: UUID | None, words: str, now: datetime
) -> Posted:
    """Change who has it and say so in the conversation."""
    notice = Draft("", MessageType.NOTICE, words, None)
    seq = await store.add_message(session, place, notice, sender_kind="system", sender_id=None, now=now)
    changed = await store.change_conversation(
        session,
        place["id"],
        last_seq=seq,
        last_message_at=now,
        assignee_id=assignee_id,
        status=Status.ASSIGNED if assignee_id else Status.WAITING,
        waiting_since=None if assignee_id else now,
        traveller_unread=place["traveller_unread"] + 1,
    )
    stored = await store.read_message(session, place["id"], seq)
    return Posted(stored, changed, repeated=False, status_changed=True)
