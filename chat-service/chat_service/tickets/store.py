"""Every query on tickets."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chat_service.tickets.tables import ticket, ticket_attachment, ticket_change, ticket_message
from rihla.kernel import new_id


async def add_ticket(session: AsyncSession, values: dict[str, Any]) -> RowMapping | None:
    """A new ticket; None when this person's client id made one before."""
    statement = insert(ticket).values(values).on_conflict_do_nothing(index_elements=["user_id", "client_id"])
    return (await session.execute(statement.returning(*ticket.c))).mappings().one_or_none()


async def ticket_by_client_id(session: AsyncSession, user_id: UUID, client_id: str) -> RowMapping:
    """The ticket this person opened under this id."""
    query = select(ticket).where(ticket.c.user_id == user_id, ticket.c.client_id == client_id)
    return (await session.execute(query)).mappings().one()


async def load_ticket(session: AsyncSession, ticket_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One ticket."""
    query = select(ticket).where(ticket.c.id == ticket_id)
    return (await session.execute(query.with_for_update() if lock else query)).mappings().one_or_none()


async def ticket_by_number(session: AsyncSession, number: int) -> RowMapping | None:
    """One ticket, locked."""
    query = select(ticket).where(ticket.c.number == number).with_for_update()
    return (await session.execute(query)).mappings().one_or_none()


async def change_ticket(
    session: AsyncSession, before: RowMapping, values: dict[str, Any], *, by_id: UUID | None, now: datetime
) -> RowMapping:
    """Change columns of a locked ticket and note each change that people follow."""
    statement = update(ticket).where(ticket.c.id == before["id"]).values(**values, updated_at=now)
    after = (await session.execute(statement.returning(*ticket.c))).mappings().one()
    steps = [
        {
            "id": new_id(),
            "ticket_id": before["id"],
            "field": name,
            "before": None if before[name] is None else str(before[name]),
            "after": None if after[name] is None else str(after[name]),
            "by_id": by_id,
            "at": now,
        }
        for name in ("status", "priority", "category", "assignee_id")
        if before[name] != after[name]
    ]
    if steps:
        await session.execute(insert(ticket_change), steps)
    return after


async def list_tickets(
    session: AsyncSession, *, conditions: dict[str, Any], overdue: bool, before: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """The newest first. `conditions` are columns and their values."""
    query = select(ticket)
    for name, value in conditions.items():
        query = query.where(ticket.c[name] == value)
    if overdue:
        breached = func.coalesce(ticket.c.response_breached_at, ticket.c.resolution_breached_at)
        query = query.where(breached.is_not(None), ticket.c.status.in_(("open", "in_progress")))
    if before is not None:
        query = query.where(ticket.c.id < before)
    return (await session.execute(query.order_by(ticket.c.id.desc()).limit(limit))).mappings().all()


async def add_ticket_message(session: AsyncSession, values: dict[str, Any], attachments: Iterable[UUID]) -> bool:
    """Something that was said; False when it had been said before (client id or mail id)."""
    message_id = values.get("id") or new_id()
    statement = insert(ticket_message).values({**values, "id": message_id}).on_conflict_do_nothing()
    if (await session.execute(statement.returning(ticket_message.c.id))).first() is None:
        return False
    for attachment_id in attachments:
        await session.execute(insert(ticket_attachment).values(message_id=message_id, attachment_id=attachment_id))
    return True


async def mail_came_before(session: AsyncSession, mail_id: str) -> RowMapping | None:
    """The ticket this mail went into."""
    query = select(ticket).join(ticket_message, ticket_message.c.ticket_id == ticket.c.id)
    return (await session.execute(query.where(ticket_message.c.mail_id == mail_id))).mappings().one_or_none()


async def list_ticket_messages(session: AsyncSession, ticket_id: UUID, *, internal: bool) -> list[dict[str, Any]]:
    """What was said, oldest first; internal notes only when `internal`."""
    query = select(ticket_message).where(ticket_message.c.ticket_id == ticket_id)
    if not internal:
        query = query.where(ticket_message.c.internal.is_(False))
    rows = (await session.execute(query.order_by(ticket_message.c.id))).mappings().all()
    pairs = await session.execute(
        select(ticket_attachment).where(ticket_attachment.c.message_id.in_([row["id"] for row in rows]))
    )
    attached: dict[UUID, list[UUID]] = {}
    for pair in pairs.mappings():
        attached.setdefault(pair["message_id"], []).append(pair["attachment_id"])
    return [
        {**row, "by_mail": row["mail_id"] is not None, "attachment_ids": attached.get(row["id"], [])} for row in rows
    ]


async def list_ticket_changes(session: AsyncSession, ticket_id: UUID) -> Sequence[RowMapping]:
    """Every step, oldest first."""
    query = select(ticket_change).where(ticket_change.c.ticket_id == ticket_id).order_by(ticket_change.c.id)
    return (await session.execute(query)).mappings().all()


async def mark_breaches(session: AsyncSession, now: datetime) -> int:
    """Note tickets whose time has run out without an answer or a resolution; how many marks. May run twice at once."""
    response = (
        update(ticket)
        .where(ticket.c.responded_at.is_(None), ticket.c.response_breached_at.is_(None), ticket.c.response_due_at < now)
        .values(response_breached_at=now)
        .returning(ticket.c.id)
    )
    resolution = (
        update(ticket)
        .where(
            ticket.c.resolved_at.is_(None), ticket.c.resolution_breached_at.is_(None), ticket.c.resolution_due_at < now
        )
        .values(resolution_breached_at=now)
        .returning(ticket.c.id)
    )
    marked = 0
    for statement in (response, resolution):
        marked += len((await session.execute(statement)).all())
    return marked
