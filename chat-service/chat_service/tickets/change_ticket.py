"""Moving a ticket through its life, and giving it to somebody."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.conversations.errors import ColleagueUnknown
from chat_service.desk.store import is_colleague
from chat_service.tickets import store
from chat_service.tickets.errors import TicketNotFound, TicketStateConflict
from chat_service.tickets.reply import reopened_values
from chat_service.tickets.rules import Priority, TicketStatus, due_times, is_legal, may_reopen
from chat_service.tickets.schemas import TicketUpdate
from rihla.db import Database
from rihla.kernel import Clock


async def change_ticket(
    db: Database, clock: Clock, staff_id: UUID, ticket_id: UUID, update: TicketUpdate, *, reopen_days: int
) -> RowMapping:
    """What the desk changes. Raises TicketNotFound, TicketStateConflict and ColleagueUnknown."""
    now = clock.now()
    async with db.transaction() as session:
        found = await store.load_ticket(session, ticket_id, lock=True)
        if found is None:
            raise TicketNotFound("There is no such ticket.")
        values = await _plain_changes(session, found, update)
        if update.status is not None and update.status != found["status"]:
            values |= _moved(found, update.status, now, reopen_days)
        return await store.change_ticket(session, found, values, by_id=staff_id, now=now)


async def settle_as_customer(
    db: Database, clock: Clock, user_id: UUID, ticket_id: UUID, *, reopen: bool, reopen_days: int
) -> RowMapping:
    """The customer closes what was resolved, or reopens it. Raises TicketNotFound and TicketStateConflict."""
    now = clock.now()
    async with db.transaction() as session:
        found = await store.load_ticket(session, ticket_id, lock=True)
        if found is None or found["user_id"] != user_id:
            raise TicketNotFound("There is no such ticket among yours.")
        after = TicketStatus.OPEN if reopen else TicketStatus.CLOSED
        if found["status"] == after:
            return found
        return await store.change_ticket(session, found, _moved(found, after, now, reopen_days), by_id=user_id, now=now)


async def _plain_changes(session: AsyncSession, found: RowMapping, update: TicketUpdate) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if update.category is not None:
        values["category"] = update.category
    if update.priority is not None:
        values["priority"] = update.priority
        begun = found["response_due_at"] - _allowed(found)
        due = due_times(update.priority, begun)
        values |= {"response_due_at": due.response_at, "resolution_due_at": due.resolution_at}
    if "assignee_id" in update.model_fields_set:
        if update.assignee_id is not None and not await is_colleague(session, update.assignee_id):
            raise ColleagueUnknown("Nobody at the desk has this id.")
        values["assignee_id"] = update.assignee_id
    return values


def _allowed(found: RowMapping) -> timedelta:
    """How long the first answer may take at the ticket's present priority: its clock began so long before."""
    begun: datetime = found["created_at"]
    return due_times(Priority(found["priority"]), begun).response_at - begun


def _moved(found: RowMapping, after: TicketStatus, now: datetime, reopen_days: int) -> dict[str, Any]:
    before = TicketStatus(found["status"])
    if not is_legal(before, after):
        raise TicketStateConflict(f"A ticket that is {before} cannot become {after}.", status=str(before))
    if after is TicketStatus.OPEN:
        if not may_reopen(before, found["closed_at"], now, reopen_days):
            raise TicketStateConflict("This ticket was closed long ago; open a new one.", status=str(before))
        return reopened_values(found, now)
    stamps = {TicketStatus.RESOLVED: "resolved_at", TicketStatus.CLOSED: "closed_at"}
    return {"status": after, **({stamps[after]: now} if after in stamps else {})}
