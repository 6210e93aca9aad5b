"""Forgetting a person: what they wrote goes, what others need to count stays under a name that leads nowhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.assistant.tables import assistant_action, assistant_turn
from chat_service.attachments.tables import attachment
from chat_service.callbacks.tables import callback_request
from chat_service.conversations.rules import Status
from chat_service.conversations.tables import conversation, message
from chat_service.desk.tables import colleague, presence
from chat_service.faq.tables import faq_vote
from chat_service.people.store import forget_events
from chat_service.tickets.tables import ticket, ticket_change, ticket_message
from rihla.kernel import new_id

ERASED = "[erased]"


async def erase_person(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Part of the transaction that recorded the deletion. Files go when the worker's sweeper comes by.

    Everything said in the person's conversation and tickets is erased, the desk's words too: they speak of the person.
    """
    pseudonym = new_id()
    places = select(conversation.c.id).where(conversation.c.user_id == user_id)
    await session.execute(
        update(message).where(message.c.conversation_id.in_(places), message.c.text.is_not(None)).values(text=ERASED)
    )
    await session.execute(update(message).where(message.c.sender_id == user_id).values(sender_id=pseudonym))
    await session.execute(
        update(conversation)
        .where(conversation.c.user_id == user_id)
        .values(user_id=pseudonym, status=Status.IDLE, assignee_id=None, waiting_since=None, traveller_unread=0)
    )
    await session.execute(
        update(conversation)
        .where(conversation.c.assignee_id == user_id)
        .values(status=Status.WAITING, assignee_id=None, waiting_since=now)
    )
    await session.execute(
        update(attachment)
        .where((attachment.c.owner_id == user_id) | (attachment.c.audience_id == user_id))
        .values(erase_at=now, file_name=None)
    )
    await session.execute(update(attachment).where(attachment.c.owner_id == user_id).values(owner_id=pseudonym))
    await session.execute(update(attachment).where(attachment.c.audience_id == user_id).values(audience_id=pseudonym))
    await forget_events(session, user_id)
    await _erase_desk_cases(session, user_id, pseudonym, now)
    await session.execute(update(faq_vote).where(faq_vote.c.user_id == user_id).values(user_id=pseudonym))
    for table in (assistant_action, assistant_turn, presence, colleague):
        await session.execute(delete(table).where(table.c.user_id == user_id))


async def _erase_desk_cases(session: AsyncSession, user_id: UUID, pseudonym: UUID, now: datetime) -> None:
    tickets = select(ticket.c.id).where(ticket.c.user_id == user_id)
    await session.execute(
        update(ticket_message).where(ticket_message.c.ticket_id.in_(tickets)).values(body=ERASED, mail_id=None)
    )
    await session.execute(
        update(ticket_message).where(ticket_message.c.author_id == user_id).values(author_id=pseudonym)
    )
    gone = {"subject": ERASED, "requester_email": None, "booking_reference": None, "user_id": pseudonym}
    await session.execute(update(ticket).where(ticket.c.user_id == user_id).values(**gone))
    await session.execute(update(ticket_change).where(ticket_change.c.by_id == user_id).values(by_id=pseudonym))
    settled = {"phone": "", "topic": ERASED, "note": None}
    mine = callback_request.c.user_id == user_id
    live = callback_request.c.status.in_(("requested", "claimed"))
    await session.execute(update(callback_request).where(mine, live).values(status="cancelled", settled_at=now))
    await session.execute(update(callback_request).where(mine).values(user_id=pseudonym, **settled))
