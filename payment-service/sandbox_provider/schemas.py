"""Requests and answers of the sandbox company's API."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Amount = Annotated[int, Field(gt=0, le=10**15, description="minor units")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class CardData(_Request):
    """A card as typed; secret fields so that a dump or a traceback never shows them."""

    number: SecretStr
    exp_month: int = Field(ge=1, le=12)
    exp_year: int = Field(ge=2000, le=2100)
    cvc: SecretStr


class CreatePayment(_Request):
    amount_minor: Amount
    currency: Currency
    card: CardData
    reference: str = Field(default="", max_length=200, description="yours; comes back in answers and events")
    return_url: str | None = Field(default=None, max_length=2000)


class CancelPayment(_Request):
    idempotency_key: str = Field(min_length=1, max_length=255)


class CreateRefund(_Request):
    payment_id: str
    amount_minor: Amount
    reference: str = Field(default="", max_length=200)


class PaymentOut(BaseModel):
    id: str
    idempotency_key: str
    amount_minor: int
    currency: str
    reference: str
    status: Literal["succeeded", "declined", "requires_action", "processing", "cancelled"]
    decline_code: str | None = None
    message: str | None = None
    brand: str | None = None
    last4: str | None = None
    confirmation_url: str | None = None
    refunded_minor: int = 0
    created_at: datetime


class RefundOut(BaseModel):
    id: str
    idempotency_key: str
    payment_id: str
    amount_minor: int
    currency: str
    reference: str
    status: Literal["succeeded", "failed"]
    failure_code: str | None = None
    created_at: datetime
