"""Tickets as the API says them. Customers never see internal notes, and have no field that could carry one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from chat_service.tickets.mail import LONGEST_BODY
from chat_service.tickets.rules import Priority, TicketCategory, TicketStatus, shown_number
from rihla.web import RequestModel, Schema

_REFERENCE = r"^[A-HJ-NP-Z2-9]{6}$"
_MOST_ATTACHMENTS = 5


class TicketMessage(Schema):
    """One thing that was said to the customer or by them."""

    id: UUID
    author_kind: Literal["customer", "staff"]
    body: str
    by_mail: bool
    attachment_ids: list[UUID]
    created_at: datetime


class TicketMessageForStaff(TicketMessage):
    """With internal notes and who wrote."""

    author_id: UUID | None
    internal: bool


class Ticket(Schema):
    """A question that somebody answers."""

    id: UUID
    number: str = Field(examples=["T-100001"])
    category: TicketCategory
    priority: Priority
    status: TicketStatus
    subject: str
    language: str
    booking_reference: str | None
    response_due_at: datetime
    resolution_due_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], **more: Any) -> Self:
        """From a row of the store."""
        return cls.model_validate({**row, "number": shown_number(row["number"]), **more})


class TicketForCustomer(Ticket):
    """With what was said. Mail to `reply_address` becomes a reply."""

    reply_address: str
    messages: list[TicketMessage]


class TicketForStaff(Ticket):
    """With what only the desk sees."""

    user_id: UUID | None
    assignee_id: UUID | None
    responded_at: datetime | None
    response_breached_at: datetime | None
    resolution_breached_at: datetime | None
    reopened: int


class TicketChange(Schema):
    """One step in the life of a ticket."""

    field: str = Field(examples=["status"])
    before: str | None
    after: str | None
    by_id: UUID | None
    at: datetime


class WholeTicketForStaff(TicketForStaff):
    """With everything that was said and done."""

    reply_address: str
    messages: list[TicketMessageForStaff]
    changes: list[TicketChange]


class NewTicket(RequestModel):
    """`client_id` is your own id: sending it again gives the same ticket."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "client_id": "t-1",
                "category": "baggage",
                "subject": "My bag is missing",
                "body": "It was not on the belt in Jeddah.",
                "booking_reference": "K7QX2M",
                "language": "en",
            }
        }
    )

    client_id: str = Field(min_length=1, max_length=64)
    category: TicketCategory
    subject: str = Field(min_length=3, max_length=200)
    body: str = Field(min_length=1, max_length=LONGEST_BODY)
    booking_reference: str | None = Field(default=None, pattern=_REFERENCE)
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}$")
    attachment_ids: list[UUID] = Field(default=[], max_length=_MOST_ATTACHMENTS)


class NewReply(RequestModel):
    """What the customer adds."""

    model_config = ConfigDict(json_schema_extra={"example": {"client_id": "r-1", "body": "It is a blue suitcase."}})

    client_id: str = Field(min_length=1, max_length=64)
    body: str = Field(min_length=1, max_length=LONGEST_BODY)
    attachment_ids: list[UUID] = Field(default=[], max_length=_MOST_ATTACHMENTS)


class NewStaffReply(NewReply):
    """An answer, or a note the customer never sees."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"client_id": "r-2", "body": "Asked the station in Jeddah.", "internal": True}}
    )

    internal: bool = False


class TicketUpdate(RequestModel):
    """Only what you send changes; `assignee_id: null` gives it back to everybody."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "resolved"}})

    status: TicketStatus | None = None
    priority: Priority | None = None
    category: TicketCategory | None = None
    assignee_id: UUID | None = None


class InboundMail(RequestModel):
    """A mail as the adapter read it; it signs the raw body of this request."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "message_id": "<CAF8x@mail.example.com>",
                "sender": "amina@example.com",
                "to": "support+100001.0123456789abcdef0123@rihla.local",
                "subject": "Re: My bag is missing",
                "text": "It arrived, thank you.",
            }
        }
    )

    message_id: str = Field(min_length=3, max_length=255)
    sender: str = Field(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")
    to: str = Field(min_length=3, max_length=320)
    subject: str = Field(default="", max_length=998)
    text: str = Field(max_length=1_000_000)
    language: str = Field(default="en", max_length=35)


class MailTaken(Schema):
    """Where the mail went; `repeated` when it had come before."""

    number: str
    opened: bool
    repeated: bool
