"""Opening a ticket: once for each client id, given to somebody online who speaks the language."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.attachments.posting import use_attachment
from chat_service.conversations.access import refuse_blocked
from chat_service.desk.routing import choose_agent
from chat_service.desk.store import agents
from chat_service.tickets import store
from chat_service.tickets.rules import Priority, TicketCategory, TicketStatus, due_times
from chat_service.tickets.schemas import NewTicket
from rihla.db import Database
from rihla.kernel import Clock, new_id


async def open_ticket(db: Database, clock: Clock, user_id: UUID, wanted: NewTicket) -> tuple[RowMapping, bool]:
    """The ticket, and whether it is new. Raises AccountSuspended and AttachmentNotUsable."""
    now = clock.now()
    async with db.transaction() as session:
        await refuse_blocked(session, user_id)
        values = {
            "user_id": user_id,
            "client_id": wanted.client_id,
            "category": wanted.category,
            "subject": wanted.subject,
            "language": wanted.language,
            "booking_reference": wanted.booking_reference,
        }
        made = await add_routed_ticket(session, values, now)
        if made is None:
            return await store.ticket_by_client_id(session, user_id, wanted.client_id), False
        for attachment_id in wanted.attachment_ids:
            await use_attachment(session, attachment_id, user_id, None, user_id)
        said = said_by_customer(made["id"], user_id, wanted.body, now, client_id=wanted.client_id)
        await store.add_ticket_message(session, said, wanted.attachment_ids)
        return made, True


async def add_routed_ticket(session: AsyncSession, values: dict[str, Any], now: datetime) -> RowMapping | None:
    """A ticket with due times and, where somebody fits, an assignee. None when it is there already."""
    priority = Priority.HIGH if values["category"] == TicketCategory.CHECK_IN else Priority.NORMAL
    due = due_times(priority, now)
    return await store.add_ticket(
        session,
        {
            "id": new_id(),
            "priority": priority,
            "status": TicketStatus.OPEN,
            "assignee_id": choose_agent(values["language"], await agents(session, now)),
            "response_due_at": due.response_at,
            "resolution_due_at": due.resolution_at,
            "created_at": now,
            "updated_at": now,
            **values,
        },
    )


def said_by_customer(
    ticket_id: UUID,
    author_id: UUID | None,
    body: str,
    now: datetime,
    *,
    client_id: str | None = None,
    mail_id: str | None = None,
) -> dict[str, Any]:
    """Columns of a message by the customer."""
    return {
        "ticket_id": ticket_id,
        "author_kind": "customer",
        "author_id": author_id,
        "internal": False,
        "body": body,
        "client_id": client_id,
        "mail_id": mail_id,
        "created_at": now,
    }
