"""The assistant as the API says it."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from chat_service.assistant.ask import Answer
from rihla.web import RequestModel, Schema

Kind = Literal["talk_to_person", "open_ticket"]


class Question(RequestModel):
    """What you would like to know."""

    model_config = ConfigDict(json_schema_extra={"example": {"text": "When can I check in?", "language": "en"}})

    text: str = Field(min_length=2, max_length=1000)
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}$")


class AnswerSource(Schema):
    """What an answer rests on."""

    kind: Literal["faq", "booking"]
    title: str
    path: str = Field(examples=["/v1/faq/0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11"])


class ActionButton(Schema):
    """Nothing happens before you confirm it: `POST /v1/chat/assistant/actions/{id}/confirm`."""

    id: UUID
    kind: Kind
    label: str
    expires_at: datetime


class AssistantAnswer(Schema):
    """An answer, its sources, and what the assistant could do for you."""

    id: UUID
    text: str
    language: str
    sources: list[AnswerSource]
    buttons: list[ActionButton]

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """From the plain value."""
        return cls(
            id=answer.id,
            text=answer.reply.text,
            language=answer.language,
            sources=[AnswerSource.model_validate(source) for source in answer.reply.sources],
            buttons=[ActionButton.model_validate(button) for button in answer.buttons],
        )


class ActionDone(Schema):
    """What a confirmed button did."""

    kind: Kind
    conversation_id: UUID | None = None
    ticket_id: UUID | None = None
    number: str | None = None
