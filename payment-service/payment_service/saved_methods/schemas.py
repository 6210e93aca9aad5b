"""Requests and answers of saved methods."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from rihla.web import RequestModel, Schema


class SaveMethod(RequestModel):
    """Begin to save a card; it is entered at the provider, never with us."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"provider": "stripe"}]})

    provider: Literal["stripe", "sandbox", "paymob"] = Field(description="`stripe` keeps cards; the others do not")


class SavedMethodStarted(Schema):
    """What the browser needs to enter the card at the provider."""

    id: UUID
    provider: str = Field(examples=["stripe"])
    status: Literal["pending", "failed", "active"] = Field(description="`active` by the provider's word")
    client_secret: str | None = Field(
        description="for the provider's own form (Stripe: confirmSetup); null once the card is saved"
    )


class SavedMethodOut(Schema):
    """A card that can be paid with: `{"type": "card", "provider", "saved_method_id": id}`."""

    id: UUID
    provider: str = Field(examples=["stripe"])
    status: Literal["active"]
    brand: str | None = Field(examples=["visa"])
    last4: str | None = Field(examples=["4242"])
    exp_month: int | None = Field(examples=[12])
    exp_year: int | None = Field(examples=[2031])
    is_default: bool = Field(description="the first one is, until another is chosen")
    created_at: datetime
