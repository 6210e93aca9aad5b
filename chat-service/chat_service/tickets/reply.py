"""Replying to a ticket, from either side, in the app or by mail."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.attachments.posting import use_attachment
from chat_service.conversations.access import refuse_blocked
from chat_service.tickets import store
from chat_service.tickets.errors import MailRefused, TicketClosed, TicketNotFound
from chat_service.tickets.mail import is_plain_address, ticket_number_of, written
from chat_service.tickets.open_ticket import add_routed_ticket, said_by_customer
from chat_service.tickets.rules import (
    Priority,
    TicketCategory,
    TicketStatus,
    due_times,
    may_reopen,
    status_after_reply,
)
from chat_service.tickets.schemas import InboundMail, NewReply, NewStaffReply
from chat_service.tickets.tell_answer import tell_answer
from rihla.db import Database
from rihla.kernel import Clock, new_id


async def reply_as_customer(
    db: Database, clock: Clock, user_id: UUID, ticket_id: UUID, reply: NewReply, *, reopen_days: int
) -> RowMapping:
    """A word of the ticket's owner; it reopens what was answered. The same client id says it once.

    Raises TicketNotFound, TicketClosed, AccountSuspended and AttachmentNotUsable.
    """
    now = clock.now()
    async with db.transaction() as session:
        found = await store.load_ticket(session, ticket_id, lock=True)
        if found is None or found["user_id"] != user_id:
            raise TicketNotFound("There is no such ticket among yours.")
        await refuse_blocked(session, user_id)
        said = said_by_customer(ticket_id, user_id, reply.body, now, client_id=reply.client_id)
        for attachment_id in await _fresh(session, found, said, reply.attachment_ids):
            await use_attachment(session, attachment_id, user_id, None, user_id)
        return await _hear_customer(session, found, said, reply.attachment_ids, now, reopen_days)


async def reply_as_staff(
    db: Database,
    clock: Clock,
    staff_id: UUID,
    ticket_id: UUID,
    reply: NewStaffReply,
    *,
    address_of: Callable[[int], str],
) -> RowMapping:
    """An answer of the desk, which its customer is told of, or a note the customer never sees.

    `address_of` makes the mail address of a ticket's number. Raises TicketNotFound and AttachmentNotUsable.
    """
    now = clock.now()
    async with db.transaction() as session:
        found = await store.load_ticket(session, ticket_id, lock=True)
        if found is None:
            raise TicketNotFound("There is no such ticket.")
        said: dict[str, Any] = {
            "id": new_id(),
            "ticket_id": ticket_id,
            "author_kind": "staff",
            "author_id": staff_id,
            "internal": reply.internal,
            "body": reply.body,
            "client_id": reply.client_id,
            "created_at": now,
        }
        audience = None if reply.internal else found["user_id"]
        for attachment_id in await _fresh(session, found, said, reply.attachment_ids):
            await use_attachment(session, attachment_id, staff_id, None, audience)
        if not await store.add_ticket_message(session, said, reply.attachment_ids) or reply.internal:
            return found
        values: dict[str, Any] = {"status": status_after_reply(TicketStatus(found["status"]), by_staff=True)}
        values["responded_at"] = found["responded_at"] or now
        values["assignee_id"] = found["assignee_id"] or staff_id
        await tell_answer(session, found, said, reply_address=address_of(found["number"]), now=now)
        return await store.change_ticket(session, found, values, by_id=staff_id, now=now)


async def take_mail(
    db: Database, clock: Clock, mail: InboundMail, *, support_address: str, secret: bytes, reopen_days: int
) -> tuple[RowMapping, bool, bool]:
    """Thread a mail into the ticket its address names, or open one: (ticket, opened, repeated).

    A mail for a ticket closed too long ago opens a new one. Raises MailRefused.
    """
    now = clock.now()
    body = written(mail.text)
    if not body:
        raise MailRefused("The mail says nothing above what it quotes.")
    number = _number(mail.to, support_address, secret)
    async with db.transaction() as session:
        before = await store.mail_came_before(session, mail.message_id)
        if before is not None:
            return before, False, True
        found = None if number is None else await store.ticket_by_number(session, number)
        if number is not None and found is None:
            raise MailRefused("There is no such ticket.")
        if found is not None:
            said = said_by_customer(found["id"], found["user_id"], body, now, mail_id=mail.message_id)
            try:
                return await _hear_customer(session, found, said, [], now, reopen_days), False, False
            except TicketClosed:
                pass
        values = {
            "user_id": found["user_id"] if found is not None else None,
            "requester_email": None if found is not None else mail.sender,
            "category": found["category"] if found is not None else TicketCategory.OTHER,
            "subject": mail.subject.strip()[:200] or "Mail to support",
            "language": mail.language if found is None else found["language"],
        }
        made = await add_routed_ticket(session, values, now)
        assert made is not None
        said = said_by_customer(made["id"], made["user_id"], body, now, mail_id=mail.message_id)
        await store.add_ticket_message(session, said, [])
        return made, True, False


def _number(address: str, support_address: str, secret: bytes) -> int | None:
    try:
        number = ticket_number_of(address, support_address, secret)
    except ValueError as error:
        raise MailRefused("This address was not made by us.") from error
    if number is None and not is_plain_address(address, support_address):
        raise MailRefused("This address is not ours.")
    return number


async def _hear_customer(
    session: AsyncSession,
    found: RowMapping,
    said: dict[str, Any],
    attachments: list[UUID],
    now: datetime,
    reopen_days: int,
) -> RowMapping:
    status = TicketStatus(found["status"])
    after = status_after_reply(status, by_staff=False)
    if after is not status and not may_reopen(status, found["closed_at"], now, reopen_days):
        raise TicketClosed("This ticket was closed long ago; open a new one.")
    if not await store.add_ticket_message(session, said, attachments):
        return found
    values = reopened_values(found, now) if after is not status else {}
    return await store.change_ticket(session, found, values, by_id=found["user_id"], now=now)


def reopened_values(found: RowMapping, now: datetime) -> dict[str, Any]:
    """Columns of a ticket that is open again: the clocks start anew, old breaches stay on record."""
    due = due_times(Priority(found["priority"]), now)
    return {
        "status": TicketStatus.OPEN,
        "resolved_at": None,
        "closed_at": None,
        "responded_at": None,
        "response_due_at": due.response_at,
        "resolution_due_at": due.resolution_at,
        "reopened": found["reopened"] + 1,
    }


async def _fresh(session: AsyncSession, found: RowMapping, said: dict[str, Any], attachments: list[UUID]) -> list[UUID]:
    """The attachments to bind: none when the same reply came before and has bound them."""
    if not attachments:
        return []
    before = await store.list_ticket_messages(session, found["id"], internal=True)
    key = (said["author_id"], said["client_id"])
    return [] if any((one["author_id"], one["client_id"]) == key for one in before) else attachments
