"""Quotes and cancellations on the wire."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from booking_service.bookings.schemas import Booking
from booking_service.cancelling.scope import Scope
from rihla.web import MoneyModel, RequestModel, Schema


class CancellationQuoteRequest(RequestModel):
    """Everything, or some slices (outbound, return or both) and some passengers."""

    scope: Literal["all", "part"] = Field(examples=["part"])
    slice_ids: list[UUID] = Field(default_factory=list, max_length=6)
    passenger_ids: list[UUID] = Field(default_factory=list, max_length=10)

    def as_scope(self) -> Scope:
        """As a plain value."""
        return Scope(
            whole=self.scope == "all",
            slice_ids=frozenset() if self.scope == "all" else frozenset(self.slice_ids),
            passenger_ids=frozenset() if self.scope == "all" else frozenset(self.passenger_ids),
        )


class Destination(Schema):
    """Where the money goes back to: the way it came."""

    kind: str = Field(examples=["card"])
    amount: MoneyModel


class CancelledItem(Schema):
    passenger_id: UUID
    flight_id: UUID


class CancellationQuote(Schema):
    """What would come back; it is kept to until `expires_at`, unless the booking changes."""

    id: UUID
    booking_id: UUID
    scope: Literal["all", "part"]
    involuntary: bool = Field(description="The airline is at fault: everything comes back")
    refund: MoneyModel
    fee: MoneyModel
    destinations: list[Destination]
    items: list[CancelledItem]
    created_at: datetime
    expires_at: datetime


class CancellationRequest(RequestModel):
    quote_id: UUID


class Cancellation(Schema):
    """What was cancelled; the refund is on its way."""

    id: UUID
    booking_id: UUID
    scope: Literal["all", "part"]
    involuntary: bool
    refund: MoneyModel
    fee: MoneyModel
    refund_ids: list[UUID]
    created_at: datetime
    booking: Booking
