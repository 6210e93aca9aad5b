"""What forgetting, resetting and changing a password take."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from auth_service.people.fields import Address, Code, LocaleTag, Password, TypedPassword
from rihla.web import RequestModel, Schema


class ForgotRequest(RequestModel):
    """Where to send the code."""

    identifier: Address
    locale: LocaleTag = "en"


class Accepted(Schema):
    """The same in every case."""

    status: Annotated[Literal["accepted"], Field(description="A code is on its way if there is such an account")]


class ResetRequest(RequestModel):
    """The code that came, and the new password."""

    identifier: Address
    code: Code
    new_password: Password
    request_id: UUID | None = None


class ChangeRequest(RequestModel):
    """The present password and the new one."""

    current_password: TypedPassword
    new_password: Password
