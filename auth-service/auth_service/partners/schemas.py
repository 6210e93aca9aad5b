"""Organisations, API keys, and what the gateway learns from a key."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from auth_service.people.fields import ShortText
from rihla.web import RequestModel, Schema

Scope = Literal["offers:read", "bookings:read", "bookings:write", "payments:write", "webhooks:read", "webhooks:write"]
"""Search flights and read offers; read the organisation's bookings; place, change and cancel them; pay for them; read
webhook endpoints and what was sent to them; keep them and send again."""

_USUAL_SCOPES: tuple[Scope, ...] = ("offers:read", "bookings:read", "bookings:write", "payments:write")


class ApiKeyRequest(RequestModel):
    """A key to make. Test keys see and book only the test airline and the sandbox provider."""

    name: Annotated[ShortText, Field(max_length=100, examples=["Booking site, staging"])]
    mode: Literal["test", "live"] = "test"
    scopes: Annotated[
        list[Scope],
        Field(
            default_factory=lambda: list(_USUAL_SCOPES),
            min_length=1,
            max_length=10,
            examples=[["offers:read", "bookings:write"]],
        ),
    ]
    expires_at: Annotated[datetime | None, Field(description="null: until it is revoked")] = None


class ApiKeyView(Schema):
    """A key as it is listed: its public beginning, never the key."""

    id: UUID
    name: str
    prefix: Annotated[str, Field(examples=["rk_test_Ab3dE6gH"])]
    mode: Literal["test", "live"]
    scopes: list[str]
    rate_limit_per_minute: int
    unpaid_bookings: Annotated[int | None, Field(description="Kept unpaid at once by contract; null: as usual")]
    organisation_id: UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewApiKey(ApiKeyView):
    """The only answer that carries the key itself."""

    key: Annotated[str, Field(examples=["rk_test_..."], description="Shown once; send it as X-API-Key")]


class ExchangeRequest(RequestModel):
    """The key a partner sent."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=300)]


class ExchangedKey(Schema):
    """Whom the key speaks for."""

    key_id: UUID
    user_id: UUID
    organisation_id: UUID
    scopes: list[str]
    test_mode: bool
    roles: list[str]
    rate_limit_per_minute: int
    unpaid_bookings: int | None
    expires_at: datetime | None


class OrganisationRequest(RequestModel):
    """A company that will book through the API."""

    name: Annotated[ShortText, Field(examples=["Padma Travels Ltd"])]


class OrganisationView(Schema):
    """A partner organisation."""

    id: UUID
    name: str
    created_at: datetime


class KeyLimitRequest(RequestModel):
    """What one key may ask for and keep."""

    rate_limit_per_minute: Annotated[int, Field(ge=1, le=100_000, examples=[600])]
    unpaid_bookings: Annotated[
        int | None,
        Field(ge=1, le=10_000, examples=[200], description="Bookings kept unpaid at once; null: as many as usual"),
    ] = None
