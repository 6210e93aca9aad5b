"""What auth-service sends and gets back."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from rihla.web import RequestModel, Schema


class CodeRequest(RequestModel):
    """One message with a one-time code (`account-exists` carries none). The same `request_id` is the same message."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "request_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
                "channel": "email",
                "address": "amina@example.com",
                "code": "482913",
                "purpose": "verify",
                "locale": "bn",
                "expires_at": "2026-12-01T08:10:00Z",
                "client_ip": "203.0.113.7",
            }
        }
    )

    request_id: UUID
    channel: Literal["email", "sms"]
    address: str = Field(min_length=3, max_length=320, repr=False)
    code: str | None = Field(default=None, pattern=r"^[0-9A-Za-z-]{4,12}$", repr=False)
    purpose: Literal["verify", "login", "password-reset", "change-email", "account-exists"]
    locale: str = Field(default="en", max_length=35)
    expires_at: AwareDatetime
    client_ip: str | None = Field(default=None, max_length=45)

    @model_validator(mode="after")
    def _code_where_it_belongs(self) -> Self:
        if (self.code is None) != (self.purpose == "account-exists"):
            raise ValueError("every purpose but account-exists needs a code, and account-exists has none")
        return self


class CodeAccepted(Schema):
    """The provider took the message."""

    request_id: UUID
    accepted_at: datetime
