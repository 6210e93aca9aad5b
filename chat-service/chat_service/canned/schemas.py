"""Canned replies as the API says them."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from chat_service.conversations.rules import LONGEST_TEXT
from rihla.web import RequestModel, Schema


class CannedReply(Schema):
    """A reply to paste; `{name}` and the like are for whoever pastes it."""

    id: UUID
    shortcut: str = Field(examples=["hello"])
    language: str
    text: str
    updated_at: datetime


class CannedReplyText(RequestModel):
    """The words of a canned reply."""

    model_config = ConfigDict(json_schema_extra={"example": {"text": "Hello! How can I help you?"}})

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
