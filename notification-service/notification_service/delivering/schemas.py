"""Deliveries as operations see them."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from rihla.web import Schema

State = Literal["waiting", "queued", "sending", "sent", "dead"]


class DeliveryItem(Schema):
    """One message to one address. `dead` is what a provider refused for good, or what failed for a day."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
                "kind": "booking_confirmed",
                "channel": "email",
                "address": "a***@example.com",
                "state": "dead",
                "attempts": 1,
                "due_at": "2026-12-01T08:00:00Z",
                "created_at": "2026-12-01T08:00:00Z",
                "sent_at": None,
                "provider_id": None,
                "last_error": "the mail server refused it: 550",
                "message_id": "<3f1f2b8f@rihla.example>",
                "user_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c12",
                "booking_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c10",
                "resends": 0,
            }
        }
    )

    id: UUID
    kind: str
    channel: Literal["email", "sms", "push"]
    address: str = Field(description="Shortened: enough to recognise, not enough to collect")
    state: State
    attempts: int
    due_at: datetime
    created_at: datetime
    sent_at: datetime | None
    provider_id: str | None
    last_error: str | None
    message_id: str
    user_id: UUID
    booking_id: UUID | None
    resends: int

    @classmethod
    def of(cls, row: dict[str, object]) -> Self:
        """From a stored row, its address shortened."""
        return cls.model_validate({**row, "address": masked(str(row["address"]))})


class TemplateItem(Schema):
    """A kind of notice and the languages it is worded in."""

    kind: str
    category: str
    urgent: bool
    languages: list[str]


def masked(address: str) -> str:
    """`a***@example.com`, `***5678`."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}***@{domain}" if at else f"***{address[-4:]}"
