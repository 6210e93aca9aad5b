"""Tickets for customers, for the desk, and for the mail adapter."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from chat_service.problems import problems
from chat_service.tickets import store
from chat_service.tickets.change_ticket import change_ticket, settle_as_customer
from chat_service.tickets.errors import InvalidSignature, TicketNotFound
from chat_service.tickets.mail import reply_address, signature_fits
from chat_service.tickets.open_ticket import open_ticket
from chat_service.tickets.reply import reply_as_customer, reply_as_staff, take_mail
from chat_service.tickets.rules import Priority, TicketCategory, TicketStatus, shown_number
from chat_service.tickets.schemas import (
    InboundMail,
    MailTaken,
    NewReply,
    NewStaffReply,
    NewTicket,
    Ticket,
    TicketChange,
    TicketForCustomer,
    TicketForStaff,
    TicketMessage,
    TicketMessageForStaff,
    TicketUpdate,
    WholeTicketForStaff,
)
from rihla.auth import Person, Principal, require_roles
from rihla.web import (
    InvalidCursor,
    Page,
    PageParams,
    container,
    encode_cursor,
    problem_responses,
)

router = APIRouter(prefix="/v1/support/tickets", tags=["support"])
admin_router = APIRouter(prefix="/v1/admin/support/tickets", tags=["support"])
mail_router = APIRouter(prefix="/v1/support/inbound-mail", tags=["support"])
C = Annotated[Any, Depends(container)]
Staff = Annotated[Principal, Depends(require_roles("support", "admin"))]
_OWN = ("unauthenticated", "ticket-not-found", "validation-failed")
_STAFF = ("unauthenticated", "forbidden", "validation-failed")


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": TicketForCustomer, "description": "The same client_id had been sent before"},
        **problem_responses(
            "unauthenticated", "account-suspended", "attachment-not-usable", "validation-failed", table=problems
        ),
    },
    summary="Open a ticket",
)
async def open_support_ticket(body: NewTicket, c: C, who: Person, response: Response) -> TicketForCustomer:
    """It gets a number, due times, and where somebody online speaks your language, somebody who has it."""
    row, new = await open_ticket(c.db, c.clock, who.user_id, body)
    if not new:
        response.status_code = 200
    return await _for_customer(c, row)


@router.get(
    "",
    responses=problem_responses("unauthenticated", "invalid-cursor", "validation-failed", table=problems),
    summary="List your tickets",
)
async def list_my_tickets(
    c: C, who: Person, page: PageParams, status: Annotated[TicketStatus | None, Query()] = None
) -> Page[Ticket]:
    """The newest first."""
    conditions = {"user_id": who.user_id} | ({"status": status} if status else {})
    rows, following = await _list(c, page, conditions)
    return Page[Ticket](items=[Ticket.of(row) for row in rows], next_cursor=following)


@router.get("/{ticket_id}", responses=problem_responses(*_OWN, table=problems), summary="Read a ticket")
async def read_my_ticket(ticket_id: UUID, c: C, who: Person) -> TicketForCustomer:
    """With what was said; never with the desk's internal notes."""
    async with c.db.transaction() as session:
        row = await store.load_ticket(session, ticket_id)
    if row is None or row["user_id"] != who.user_id:
        raise TicketNotFound("There is no such ticket among yours.")
    return await _for_customer(c, row)


@router.post(
    "/{ticket_id}/messages",
    responses=problem_responses(*_OWN, "account-suspended", "ticket-closed", "attachment-not-usable", table=problems),
    summary="Reply to a ticket",
)
async def reply_to_ticket(ticket_id: UUID, body: NewReply, c: C, who: Person) -> TicketForCustomer:
    """Reopens a ticket that was resolved, or closed not long ago."""
    row = await reply_as_customer(c.db, c.clock, who.user_id, ticket_id, body, reopen_days=c.settings.reopen_days)
    return await _for_customer(c, row)


@router.post(
    "/{ticket_id}/close",
    responses=problem_responses(*_OWN, "ticket-state-conflict", table=problems),
    summary="Close a resolved ticket",
)
async def close_ticket(ticket_id: UUID, c: C, who: Person) -> TicketForCustomer:
    """The answer helped."""
    return await _settle(c, who, ticket_id, reopen=False)


@router.post(
    "/{ticket_id}/reopen",
    responses=problem_responses(*_OWN, "ticket-state-conflict", table=problems),
    summary="Reopen a ticket",
)
async def reopen_ticket(ticket_id: UUID, c: C, who: Person) -> TicketForCustomer:
    """The answer did not help; the due times start anew."""
    return await _settle(c, who, ticket_id, reopen=True)


@admin_router.get(
    "", responses=problem_responses(*_STAFF, "invalid-cursor", table=problems), summary="List all tickets"
)
async def list_all_tickets(
    c: C,
    who: Staff,
    page: PageParams,
    status: Annotated[TicketStatus | None, Query()] = None,
    priority: Annotated[Priority | None, Query()] = None,
    category: Annotated[TicketCategory | None, Query()] = None,
    language: Annotated[str | None, Query(max_length=35)] = None,
    mine: Annotated[bool, Query(description="Only those you have")] = False,
    overdue: Annotated[bool, Query(description="Only those past a due time")] = False,
) -> Page[TicketForStaff]:
    """The newest first."""
    wanted: dict[str, Any] = {"status": status, "priority": priority, "category": category, "language": language}
    wanted["assignee_id"] = who.user_id if mine else None
    conditions = {name: value for name, value in wanted.items() if value is not None}
    rows, following = await _list(c, page, conditions, overdue=overdue)
    return Page[TicketForStaff](items=[TicketForStaff.of(row) for row in rows], next_cursor=following)


@admin_router.get(
    "/{ticket_id}", responses=problem_responses(*_STAFF, "ticket-not-found", table=problems), summary="Read any ticket"
)
async def read_any_ticket(ticket_id: UUID, c: C, _: Staff) -> WholeTicketForStaff:
    """With internal notes and every change."""
    async with c.db.transaction() as session:
        row = await store.load_ticket(session, ticket_id)
    if row is None:
        raise TicketNotFound("There is no such ticket.")
    return await _for_staff(c, row)


@admin_router.patch(
    "/{ticket_id}",
    responses=problem_responses(
        *_STAFF, "ticket-not-found", "ticket-state-conflict", "colleague-unknown", table=problems
    ),
    summary="Change a ticket",
)
async def change_any_ticket(ticket_id: UUID, body: TicketUpdate, c: C, who: Staff) -> WholeTicketForStaff:
    """open -> in_progress -> resolved -> closed, and back to open; anything else is a conflict."""
    row = await change_ticket(c.db, c.clock, who.user_id, ticket_id, body, reopen_days=c.settings.reopen_days)
    return await _for_staff(c, row)


@admin_router.post(
    "/{ticket_id}/messages",
    responses=problem_responses(*_STAFF, "ticket-not-found", "attachment-not-usable", table=problems),
    summary="Answer a ticket, or note something internally",
)
async def answer_ticket(ticket_id: UUID, body: NewStaffReply, c: C, who: Staff) -> WholeTicketForStaff:
    """The first answer takes an open ticket up; an internal note changes nothing the customer sees."""
    row = await reply_as_staff(
        c.db, c.clock, who.user_id, ticket_id, body, address_of=lambda number: _reply_address(c, number)
    )
    return await _for_staff(c, row)


async def _signed_by_adapter(
    request: Request, c: C, mail_signature: Annotated[str, Header(max_length=200)] = ""
) -> None:
    secret = c.settings.inbound_mail_secret.get_secret_value().encode()
    if not signature_fits(mail_signature, await request.body(), secret, c.clock.now().timestamp()):
        raise InvalidSignature("Sign the raw body with the shared secret.")


@mail_router.post(
    "",
    dependencies=[Depends(_signed_by_adapter)],
    responses=problem_responses("invalid-signature", "mail-refused", "validation-failed", table=problems),
    summary="Mail that came to support (for the mail adapter)",
)
async def take_inbound_mail(body: InboundMail, c: C) -> MailTaken:
    """Signed by the adapter over the raw body. A mail is taken once, by its Message-ID."""
    row, opened, repeated = await take_mail(
        c.db,
        c.clock,
        body,
        support_address=c.settings.support_address,
        secret=_reply_secret(c),
        reopen_days=c.settings.reopen_days,
    )
    return MailTaken(number=shown_number(row["number"]), opened=opened, repeated=repeated)


async def _settle(c: Any, who: Principal, ticket_id: UUID, *, reopen: bool) -> TicketForCustomer:
    days = c.settings.reopen_days
    row = await settle_as_customer(c.db, c.clock, who.user_id, ticket_id, reopen=reopen, reopen_days=days)
    return await _for_customer(c, row)


async def _list(
    c: Any, page: Any, conditions: dict[str, Any], *, overdue: bool = False
) -> tuple[list[Any], str | None]:
    async with c.db.transaction() as session:
        rows = await store.list_tickets(
            session, conditions=conditions, overdue=overdue, before=_before(page.cursor), limit=page.limit + 1
        )
    shown = list(rows[: page.limit])
    return shown, encode_cursor({"id": str(shown[-1]["id"])}) if len(rows) > page.limit else None


def _before(cursor: dict[str, Any] | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(cursor["id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidCursor("Start again without a cursor.") from error


def _reply_secret(c: Any) -> bytes:
    secret: str = c.settings.reply_address_secret.get_secret_value()
    return secret.encode()


def _reply_address(c: Any, number: int) -> str:
    return reply_address(c.settings.support_address, number, _reply_secret(c))


async def _for_customer(c: Any, row: Any) -> TicketForCustomer:
    async with c.db.transaction() as session:
        said = await store.list_ticket_messages(session, row["id"], internal=False)
    address = _reply_address(c, row["number"])
    return TicketForCustomer.of(
        row, messages=[TicketMessage.model_validate(one) for one in said], reply_address=address
    )


async def _for_staff(c: Any, row: Any) -> WholeTicketForStaff:
    async with c.db.transaction() as session:
        said = await store.list_ticket_messages(session, row["id"], internal=True)
        changes = await store.list_ticket_changes(session, row["id"])
    return WholeTicketForStaff.of(
        row,
        messages=[TicketMessageForStaff.model_validate(one) for one in said],
        changes=[TicketChange.model_validate(dict(one)) for one in changes],
        reply_address=_reply_address(c, row["number"]),
    )
