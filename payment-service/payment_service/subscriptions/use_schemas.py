"""What booking-service says of a booking that rides pay for, and what it is told."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from payment_service.subscriptions.schemas import Route
from rihla.web import RequestModel, Schema


class UseSegment(RequestModel):
    flight_id: UUID
    route: Route
    cabin: str
    local_date: date


class PutSubscriptionUse(RequestModel):
    """`lines_minor` is the fare of each segment, in the order of `segments`."""

    subscription_id: UUID
    user_id: UUID
    segments: list[UseSegment] = Field(min_length=1, max_length=50)
    passenger_count: int = Field(ge=1, le=9)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    lines_minor: list[Annotated[int, Field(ge=0, le=10**15)]]
    expires_at: datetime = Field(description="the hold's expiry; the reservation falls with it")

    @model_validator(mode="after")
    def _a_fare_for_each_segment(self) -> Self:
        if len(self.lines_minor) != len(self.segments):
            raise ValueError("`lines_minor` has one fare for each of `segments`")
        return self


class ReleaseSubscriptionUse(RequestModel):
    segments: int | None = Field(default=None, ge=0, description="how many are given back in total; null: all")


class SubscriptionUseOut(Schema):
    """All but `booking_id` and `status` are empty in a tombstone."""

    booking_id: UUID
    subscription_id: UUID | None
    period_id: UUID | None
    rides: int
    discount_minor: int
    currency: str | None
    status: Literal["reserved", "consumed", "given_back"]
