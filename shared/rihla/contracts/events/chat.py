"""Events of chat-service: words of support that whoever they are meant for has not seen."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from rihla.contracts.events.envelope import EventData


class ChatMessageMissedV1(EventData):
    """Support wrote, and the traveller was away and has seen nothing for a while; told once for each silence.

    The aggregate is the conversation, its sequence the number of its last message. What was said stays in chat-service.
    """

    event_type: ClassVar[str] = "chat.message_missed.v1"
    producer: ClassVar[str] = "chat"
    conversation_id: UUID
    user_id: UUID
    language: str = "en"
    unread: int
    last_seq: int
    waiting_since: datetime


class TicketAnsweredV1(EventData):
    """Support answered a ticket. A mail to `reply_address` becomes the next reply.

    The aggregate is the ticket. `user_id` is empty where somebody without an account wrote by mail: only `email` then
    leads to them.
    """

    event_type: ClassVar[str] = "ticket.answered.v1"
    producer: ClassVar[str] = "chat"
    ticket_id: UUID
    message_id: UUID
    number: int
    user_id: UUID | None = None
    email: str | None = None
    language: str = "en"
    subject: str
    answer: str
    reply_address: str
    answered_at: datetime
