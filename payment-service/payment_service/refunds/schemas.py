"""Requests and answers of refunds."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from rihla.web import MoneyModel, RequestModel, Schema


class PutRefund(RequestModel):
    """A refund of a paid charge, asked for by booking-service under an id of its choice."""

    booking_id: UUID
    charge_id: UUID
    payment_id: UUID | None = Field(
        default=None, description="The payment meant, when it is not the one that paid the charge"
    )
    user_id: UUID
    amount_minor: int = Field(gt=0, examples=[61240])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["USD"])
    reason: Literal["cancellation", "disruption", "late_payment", "change", "superseded"]


class DestinationOut(Schema):
    """One way the money goes back, in minor units."""

    kind: Literal["card", "wallet", "coins"]
    amount_minor: int
    currency: str
    status: str = Field(examples=["succeeded"])


class RefundOut(Schema):
    """A refund as booking-service sees it."""

    id: UUID
    status: Literal["pending", "succeeded", "failed"]
    amount_minor: int
    currency: str
    destinations: list[DestinationOut]


class AdminDestinationOut(Schema):
    id: UUID
    kind: Literal["card", "wallet", "coins"]
    amount: MoneyModel
    coins: int | None
    status: str
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    provider_reference: str | None


class AdminRefundOut(Schema):
    """A refund as operations see it."""

    id: UUID
    payment_id: UUID
    user_id: UUID
    booking_id: UUID | None
    charge_id: UUID | None
    status: Literal["pending", "succeeded", "failed"]
    amount: MoneyModel
    reason: str
    note: str | None
    actor_id: UUID | None
    destinations: list[AdminDestinationOut]
    created_at: datetime
    succeeded_at: datetime | None


class RefundPayment(RequestModel):
    """A refund by an administrator."""

    amount: str = Field(pattern=r"^\d{1,13}(\.\d{1,4})?$", examples=["25.00"], description="in the payment's currency")
    reason: str = Field(min_length=3, max_length=500, examples=["Goodwill after a complaint"])
