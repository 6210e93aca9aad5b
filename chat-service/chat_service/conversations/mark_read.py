"""Receipts: how far one side has come. They only ever move forward."""

from uuid import UUID

from sqlalchemy import RowMapping

from chat_service.conversations import store
from chat_service.conversations.access import visible
from chat_service.conversations.rules import Side
from rihla.auth import Principal
from rihla.db import Database


async def mark_read(
    db: Database, principal: Principal, conversation_id: UUID, *, delivered: int, seen: int
) -> tuple[RowMapping, Side, bool]:
    """Note what reached the caller's side and what was seen there; whether that changed anything comes last.

    Numbers beyond the last message count as the last message. Raises ConversationNotFound.
    """
    async with db.transaction() as session:
        place, side = await visible(session, conversation_id, principal, lock=True)
        seen = min(max(seen, place[f"{side}_seen_seq"]), place["last_seq"])
        delivered = min(max(delivered, seen, place[f"{side}_delivered_seq"]), place["last_seq"])
        if (seen, delivered) == (place[f"{side}_seen_seq"], place[f"{side}_delivered_seq"]):
            return place, side, False
        changes = {f"{side}_delivered_seq": delivered, f"{side}_seen_seq": seen}
        if seen != place[f"{side}_seen_seq"]:
            changes[f"{side}_unread"] = await store.count_unread(session, conversation_id, side, seen)
        return await store.change_conversation(session, conversation_id, **changes), side, True
