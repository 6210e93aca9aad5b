"""Callbacks as the API says them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import phonenumbers
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from rihla.web import RequestModel, Schema

CallbackStatus = Literal["requested", "claimed", "done", "missed", "cancelled"]


def _e164(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a telephone number such as +8801712345678") from error
    if not phonenumbers.is_valid_number(parsed):
        raise ValueError("not a telephone number that exists")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class Slot(Schema):
    """An hour in which we call, and how many calls are free."""

    slot_at: datetime
    free: int


class NewCallback(RequestModel):
    """Who to call, when, in which language, and about what."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "phone": "+8801712345678",
                "slot_at": "2026-12-01T10:00:00Z",
                "language": "bn",
                "topic": "My refund",
            }
        }
    )

    phone: Annotated[str, Field(max_length=30), AfterValidator(_e164)]
    slot_at: AwareDatetime
    language: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}$")
    topic: str = Field(min_length=3, max_length=200)


class Callback(Schema):
    """A call somebody waits for, or had."""

    id: UUID
    phone: str
    language: str
    topic: str
    slot_at: datetime
    status: CallbackStatus
    created_at: datetime
    settled_at: datetime | None


class CallbackForStaff(Callback):
    """With who calls."""

    user_id: UUID
    assignee_id: UUID | None
    note: str | None


class CallbackOutcome(RequestModel):
    """How the call went."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "done", "note": "Explained the refund."}})

    status: Literal["done", "missed"]
    note: str | None = Field(default=None, max_length=1000)
