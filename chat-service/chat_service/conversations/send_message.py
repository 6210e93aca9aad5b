"""Sending a message: numbered under the conversation's lock, stored once whatever is sent again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.attachments.posting import use_attachment
from chat_service.conversations import store
from chat_service.conversations.access import is_staff, refuse_blocked, visible
from chat_service.conversations.errors import ClientIdReused, ConversationTaken, MessageRefused
from chat_service.conversations.post_text import post_text
from chat_service.conversations.posted import Posted
from chat_service.conversations.rules import Draft, MessageType, Side, Status, flaw_of, may_write, status_after_message
from rihla.auth import Principal
from rihla.db import Database
from rihla.kernel import Clock


async def send_message(db: Database, clock: Clock, principal: Principal, conversation_id: UUID, draft: Draft) -> Posted:
    """Store a message of `principal`. The same client id with the same content gives the first message again.

    Raises MessageRefused, ConversationNotFound, ConversationTaken, ClientIdReused, AccountSuspended and
    AttachmentNotUsable.
    """
    flaw = flaw_of(draft)
    if flaw is not None:
        raise MessageRefused(flaw)
    if draft.type is MessageType.TEXT:
        return await post_text(
            db,
            clock,
            principal.user_id,
            is_staff=is_staff(principal),
            conversation_id=conversation_id,
            draft=draft,
        )
    return await send_step_by_step(db, clock, principal, conversation_id, draft)


async def send_step_by_step(
    db: Database, clock: Clock, principal: Principal, conversation_id: UUID, draft: Draft
) -> Posted:
    """The general way, for messages with an attachment."""
    async with db.transaction() as session:
        place, side = await visible(session, conversation_id, principal, lock=True)
        before = await store.message_by_client_id(session, conversation_id, principal.user_id, draft.client_id)
        if before is not None:
            return Posted(_same(before, draft), place, repeated=True, status_changed=False)
        await refuse_blocked(session, principal.user_id)
        if not may_write(side, principal.user_id, place["assignee_id"]):
            raise ConversationTaken("A colleague has this conversation; take it over first.")
        if draft.attachment_id is not None:
            await use_attachment(session, draft.attachment_id, principal.user_id, str(draft.type), place["user_id"])
        return await _post(session, place, draft, side, principal.user_id, clock.now())


async def post_as_system(
    session: AsyncSession, place: RowMapping, draft: Draft, *, sender_kind: str, now: datetime, waiting: bool = False
) -> Posted:
    """Add a message of the assistant or the system to a locked conversation; `waiting` asks for a person."""
    seq = await store.add_message(session, place, draft, sender_kind=sender_kind, sender_id=None, now=now)
    changes: dict[str, object] = {"last_seq": seq, "last_message_at": now}
    if waiting:
        changes["staff_unread"] = place["staff_unread"] + 1
    if waiting and place["status"] == Status.IDLE:
        changes |= {"status": Status.WAITING, "waiting_since": now}
    changed = await store.change_conversation(
        session,
        place["id"],
        traveller_unread=place["traveller_unread"] + 1,
        **changes,
    )
    stored = await store.read_message(session, place["id"], seq)
    return Posted(stored, changed, repeated=False, status_changed=changed["status"] != place["status"])


async def _post(
    session: AsyncSession, place: RowMapping, draft: Draft, side: Side, sender_id: UUID, now: datetime
) -> Posted:
    seq = await store.add_message(session, place, draft, sender_kind=str(side), sender_id=sender_id, now=now)
    status = status_after_message(side, Status(place["status"]))
    changed = await store.change_conversation(
        session,
        place["id"],
        last_seq=seq,
        last_message_at=now,
        status=status,
        assignee_id=sender_id if side is Side.STAFF else place["assignee_id"],
        waiting_since=(place["waiting_since"] or now) if status is Status.WAITING else None,
        **{f"{side.other}_unread": place[f"{side.other}_unread"] + 1},
    )
    stored = await store.read_message(session, place["id"], seq)
    return Posted(stored, changed, repeated=False, status_changed=status != place["status"])


def _same(before: RowMapping, draft: Draft) -> RowMapping:
    if (before["type"], before["text"], before["attachment_id"]) != (draft.type, draft.text, draft.attachment_id):
        raise ClientIdReused("This client_id was used for another message; choose a new one for each message.")
    return before
