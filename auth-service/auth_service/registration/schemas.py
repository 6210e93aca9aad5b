"""What registering and verifying take and give."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from auth_service.people.fields import (
    Address,
    Code,
    Country,
    Currency,
    CustomerType,
    Email,
    FullName,
    Gender,
    LocaleTag,
    Password,
    Phone,
    PhotoUrl,
    ShortText,
)
from rihla.web import RequestModel, Schema


class RegisterRequest(RequestModel):
    """An e-mail address or a phone number, a password and a name; the rest can follow later."""

    email: Email | None = None
    phone: Phone | None = None
    password: Password
    full_name: FullName
    locale: LocaleTag = "en"
    currency: Currency = "USD"
    gender: Gender | None = None
    date_of_birth: Annotated[date | None, Field(examples=["1988-04-01"])] = None
    nationality: Country | None = None
    location: Annotated[ShortText | None, Field(examples=["Dhaka"])] = None
    photo_url: PhotoUrl | None = None
    customer_type: CustomerType = "individual"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.email is None and self.phone is None:
            raise ValueError("send an email or a phone")
        return self


class Verification(Schema):
    """How the code travels and how long it is good."""

    request_id: Annotated[UUID, Field(description="May be sent back with the code, to bind it to this very request")]
    channel: Literal["email", "sms"]
    expires_at: datetime
    resend_at: Annotated[datetime, Field(description="When another code may be asked for")]


class Registered(Schema):
    """The same whether or not an account existed."""

    verification: Verification


class VerifyRequest(RequestModel):
    """The address and the six digits that came to it."""

    identifier: Address
    code: Code
    request_id: UUID | None = None


class ResendRequest(RequestModel):
    """The address a registration waits for."""

    identifier: Address
