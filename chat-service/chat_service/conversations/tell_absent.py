"""Telling travellers who are away that support wrote: once for each silence, by an event for notification-service."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.contracts.events import ChatMessageMissedV1
from rihla.db import Database
from rihla.db.outbox import add_event
from rihla.telemetry import Counter

TOLD = Counter("rihla_chat_absent_told_total", "Silences that travellers were told of")
_MOST = 200
# Locked rows are another worker's; those it told are no longer among ours when the lock is gone. Only words of people
# count: the assistant answers whoever is there to ask.
_UNSEEN = text(
    "SELECT c.id, c.user_id, c.language, c.last_seq, c.traveller_unread, m.created_at AS waiting_since "
    "FROM conversation c CROSS JOIN LATERAL (SELECT created_at FROM message WHERE conversation_id = c.id "
    "AND seq > c.traveller_seen_seq AND sender_kind = 'staff' ORDER BY seq LIMIT 1) AS m "
    "WHERE c.traveller_unread > 0 AND c.told_seq <= c.traveller_seen_seq AND m.created_at <= :until "
    "AND NOT EXISTS (SELECT 1 FROM presence p WHERE p.user_id = c.user_id AND p.online_until > :now) "
    "AND NOT EXISTS (SELECT 1 FROM account a WHERE a.user_id = c.user_id "
    "AND (a.suspended OR a.deleted_at IS NOT NULL)) "
    "ORDER BY c.last_message_at LIMIT :most FOR UPDATE OF c SKIP LOCKED"
)
_TELL = text("UPDATE conversation SET told_seq = last_seq WHERE id = :id")


async def tell_absent(db: Database, now: datetime, *, after: timedelta) -> int:
    """One event for each conversation whose traveller is away and has not seen words `after` old; how many."""
    told = 0
    while True:
        async with db.transaction() as session:
            rows = (await session.execute(_UNSEEN, {"until": now - after, "now": now, "most": _MOST})).all()
            for row in rows:
                await _tell(session, row, now)
        told += len(rows)
        TOLD.inc(len(rows))
        if len(rows) < _MOST:
            return told


async def _tell(session: AsyncSession, row: Any, now: datetime) -> None:
    await session.execute(_TELL, {"id": row.id})
    event = ChatMessageMissedV1(
        conversation_id=row.id,
        user_id=row.user_id,
        language=row.language,
        unread=row.traveller_unread,
        last_seq=row.last_seq,
        waiting_since=row.waiting_since,
    )
    await add_event(session, event, aggregate_id=row.id, sequence=row.last_seq, now=now)
