"""Receipts as the API shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from payment_service.payments.schemas import PaymentPartOut
from rihla.web import MoneyModel, Schema


class ReceiptRefundOut(Schema):
    """Money that went back."""

    id: UUID
    amount: MoneyModel
    reason: str
    refunded_at: datetime


class ReceiptOut(Schema):
    """What was paid, how, and what has gone back since."""

    number: str = Field(examples=["R-2026-000042"])
    issued_at: datetime
    payment_id: UUID
    purpose: str
    booking_id: UUID | None
    booking_reference: str | None
    paid_at: datetime
    amount: MoneyModel
    parts: list[PaymentPartOut]
    refunds: list[ReceiptRefundOut]
    remaining: MoneyModel = Field(description="the amount less what has gone back")
