"""What signing in, refreshing and signing out take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from auth_service.people.fields import Address, Code, LocaleTag, TypedPassword
from rihla.web import RequestModel, Schema

RefreshTokenText = Annotated[str, StringConstraints(min_length=1, max_length=200), Field(examples=["rt_AZq2..."])]


class LoginRequest(RequestModel):
    """An e-mail address, a phone number or a user name, and the password."""

    identifier: Annotated[str, StringConstraints(min_length=1, max_length=320), Field(examples=["amina@example.com"])]
    password: TypedPassword


class MfaQuestion(Schema):
    """The first factor was right; send `mfa_token` with a code of the authenticator app to POST /v1/auth/mfa."""

    mfa_required: Literal[True] = True
    mfa_token: str
    expires_in: Annotated[int, Field(examples=[300], description="Seconds")]


class CodeLoginRequest(RequestModel):
    """Where to send the code."""

    identifier: Address
    locale: LocaleTag = "en"


class CodeAsked(Schema):
    """The same whether or not an account exists."""

    request_id: UUID
    channel: Literal["email", "sms"]
    expires_at: datetime
    resend_at: datetime


class CodeLoginVerifyRequest(RequestModel):
    """The address and the six digits that came to it."""

    identifier: Address
    code: Code
    request_id: UUID | None = None


class RefreshRequest(RequestModel):
    """The newest refresh token of this device."""

    refresh_token: RefreshTokenText


class LogoutRequest(RequestModel):
    """The refresh token of the device to sign out."""

    refresh_token: RefreshTokenText


class SessionView(Schema):
    """A device signed in."""

    id: UUID
    device: Annotated[str, Field(examples=["Firefox on Windows"])]
    client_ip: Annotated[str | None, Field(examples=["203.0.113.7"])]
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    methods: Annotated[list[str], Field(examples=[["password", "totp"]])]
    current: bool


class RevocationItem(Schema):
    """Access tokens of this session, of this user issued at or before `at`, or this API key hold no longer."""

    seq: int
    kind: Literal["session", "user", "api_key"]
    id: UUID
    at: datetime


class RevocationFeed(Schema):
    """The feed after a number; ask again with `last_seq`."""

    items: list[RevocationItem]
    last_seq: int
