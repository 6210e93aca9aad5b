"""Conversations and messages as the API says them, over HTTP and in frames of the socket."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from chat_service.conversations.posted import Row
from chat_service.conversations.rules import LONGEST_CLIENT_ID, LONGEST_TEXT, Draft, MessageType, Side, Status
from rihla.web import RequestModel, Schema

LANGUAGE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}$"


class Sender(Schema):
    """Who wrote a message; the system and the assistant have no id."""

    kind: Literal["traveller", "staff", "assistant", "system"]
    id: UUID | None


class MessageAttachment(Schema):
    """The picture or voice note of a message; `GET /v1/chat/attachments/{id}` gives addresses to load it from."""

    id: UUID
    media_type: str = Field(examples=["image/png"])
    size_bytes: int
    width: int | None
    height: int | None
    duration_seconds: float | None


class Message(Schema):
    """`seq` counts from 1 within the conversation without a hole; it is the order everybody sees."""

    id: UUID
    conversation_id: UUID
    seq: int = Field(examples=[7])
    sender: Sender
    type: MessageType
    text: str | None = Field(examples=["My bag did not arrive with me."])
    attachment: MessageAttachment | None
    client_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the store."""
        picture = None
        if row["attachment_id"] is not None:
            picture = MessageAttachment.model_validate({**row, "id": row["attachment_id"]})
        return cls(
            id=row["id"],
            conversation_id=row["conversation_id"],
            seq=row["seq"],
            sender=Sender(kind=row["sender_kind"], id=row["sender_id"]),
            type=row["type"],
            text=row["text"],
            attachment=picture,
            client_id=row["client_id"],
            created_at=row["created_at"],
        )


class SideState(Schema):
    """How far one side has come: everything up to these sequence numbers was delivered and seen."""

    delivered_seq: int
    seen_seq: int
    unread: int
    online: bool = False
    last_seen_at: datetime | None = None


class Conversation(Schema):
    """A traveller's one conversation with support."""

    id: UUID
    user_id: UUID
    language: str = Field(examples=["bn"])
    status: Status
    assignee_id: UUID | None
    last_seq: int
    last_message_at: datetime | None
    waiting_since: datetime | None
    traveller: SideState
    staff: SideState
    created_at: datetime

    @classmethod
    def of(cls, row: Row, presence: Mapping[Side, tuple[bool, datetime | None]] | None = None) -> Self:
        """From a row of the store, with who is online where that is known."""
        sides = {
            side: SideState(
                delivered_seq=row[f"{side}_delivered_seq"],
                seen_seq=row[f"{side}_seen_seq"],
                unread=row[f"{side}_unread"],
                online=(presence or {}).get(side, (False, None))[0],
                last_seen_at=(presence or {}).get(side, (False, None))[1],
            )
            for side in Side
        }
        plain = {name: row[name] for name in cls.model_fields if name not in ("traveller", "staff")}
        return cls(**plain, traveller=sides[Side.TRAVELLER], staff=sides[Side.STAFF])


class ConversationStart(RequestModel):
    """The language the traveller would like to be answered in."""

    model_config = ConfigDict(json_schema_extra={"example": {"language": "bn"}})

    language: str = Field(default="en", pattern=LANGUAGE)


class NewMessage(RequestModel):
    """`client_id` is your own id of this message: sending it again gives the same message back."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"client_id": "m-1", "type": "text", "text": "My bag did not arrive with me."}}
    )

    client_id: str = Field(min_length=1, max_length=LONGEST_CLIENT_ID)
    type: MessageType = MessageType.TEXT
    text: str | None = Field(default=None, max_length=LONGEST_TEXT)
    attachment_id: UUID | None = None

    def draft(self) -> Draft:
        """The same as a plain value."""
        return Draft(self.client_id, self.type, self.text, self.attachment_id)


class MessageList(Schema):
    """Messages in order. `after` of the next call is the last `seq` here; `last_seq` says whether there is more."""

    items: list[Message]
    last_seq: int


class Receipt(RequestModel):
    """Everything up to these sequence numbers; seen means delivered too."""

    model_config = ConfigDict(json_schema_extra={"example": {"delivered_seq": 7, "seen_seq": 7}})

    delivered_seq: int = Field(default=0, ge=0)
    seen_seq: int = Field(default=0, ge=0)


class HandOver(RequestModel):
    """To a colleague, or (null) back to everybody at the desk."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": None}})

    to: UUID | None = None


class FeedPage(Schema):
    """Messages of all conversations. Go on with `after`; a message may come twice, none is left out."""

    items: list[Message]
    after: str = Field(examples=["731.42"])
