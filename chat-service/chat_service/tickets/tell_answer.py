"""Telling whoever wrote a ticket that it was answered, by an event for notification-service."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.tickets.tables import ticket_message
from rihla.contracts.events import TicketAnsweredV1
from rihla.db.outbox import add_event


async def tell_answer(
    session: AsyncSession, found: RowMapping, said: Mapping[str, Any], *, reply_address: str, now: datetime
) -> None:
    """In the transaction of the answer, under the ticket's lock. Nobody is told who left no way to be reached."""
    if found["user_id"] is None and found["requester_email"] is None:
        return
    event = TicketAnsweredV1(
        ticket_id=found["id"],
        message_id=said["id"],
        number=found["number"],
        user_id=found["user_id"],
        email=found["requester_email"],
        language=found["language"],
        subject=found["subject"],
        answer=said["body"],
        reply_address=reply_address,
        answered_at=now,
    )
    count = select(func.count()).where(ticket_message.c.ticket_id == found["id"])
    sequence = int((await session.execute(count)).scalar_one())
    await add_event(session, event, aggregate_id=found["id"], sequence=sequence, now=now)
