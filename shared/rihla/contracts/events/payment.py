"""Events of payment-service; the aggregate is the payment (for refunds: the refund)."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from rihla.contracts.events.envelope import EventData


class _PaymentEvent(EventData):
    producer: ClassVar[str] = "payment"
    payment_id: UUID
    booking_id: UUID | None = None
    charge_id: UUID | None = None
    user_id: UUID
    amount_minor: int
    currency: str
    method: str
    """`card`, `wallet`, `coins` or `split`."""


class PaymentSucceededV1(_PaymentEvent):
    """Money for the charge was captured, at `captured_at` by the provider's clock."""

    event_type: ClassVar[str] = "payment.succeeded.v1"
    provider: str | None = None
    captured_at: datetime


class PaymentFailedV1(_PaymentEvent):
    """An attempt ended without money; the charge stays due."""

    event_type: ClassVar[str] = "payment.failed.v1"
    failure_code: str
    failure_message: str
    failed_at: datetime


class _RefundEvent(EventData):
    producer: ClassVar[str] = "payment"
    refund_id: UUID
    booking_id: UUID | None = None
    charge_id: UUID | None = None
    payment_id: UUID | None = None
    user_id: UUID
    amount_minor: int
    currency: str
    reason: str


class RefundSucceededV1(_RefundEvent):
    """The money is on its way to where it came from."""

    event_type: ClassVar[str] = "refund.succeeded.v1"
    refunded_at: datetime


class RefundFailedV1(_RefundEvent):
    """The provider refused; the refund waits in the queue of operations."""

    event_type: ClassVar[str] = "refund.failed.v1"
    failure_code: str
    failed_at: datetime
