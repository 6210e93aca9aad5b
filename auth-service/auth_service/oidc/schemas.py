"""Signing in with a provider, and the providers linked."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from rihla.web import RequestModel, Schema

ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$"), Field(examples=["google"])]


class TicketRequest(RequestModel):
    """The ticket that came to the page, and the verifier whose challenge began the trip (RFC 7636)."""

    ticket: Annotated[str, StringConstraints(min_length=20, max_length=100)]
    code_verifier: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9._~-]{43,128}$"),
        Field(examples=["dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"]),
    ]


class ProviderView(Schema):
    """A provider people may sign in with."""

    name: Annotated[str, Field(examples=["google"])]
    authorize_url: Annotated[str, Field(examples=["https://api.rihla.example/v1/auth/oidc/google/authorize"])]


class Providers(Schema):
    """The providers that are configured."""

    items: list[ProviderView]


class LinkView(Schema):
    """A provider that signs in to one's account."""

    provider: str
    email: str | None
    linked_at: datetime
    last_used_at: datetime | None


class Links(Schema):
    """The providers linked."""

    items: list[LinkView]
