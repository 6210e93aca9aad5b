"""Requests and answers of subscriptions."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from payment_service.payments.schemas import MoneyIn, PaymentMethod, PaymentOut
from rihla.web import MoneyModel, RequestModel, Schema

Route = Annotated[str, Field(pattern=r"^[A-Z]{3}-[A-Z]{3}$", examples=["DAC-CXB"])]


class PlanIn(RequestModel):
    """A monthly plan: a number of rides on some routes, or a percentage off."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "COAST-8", "name": "Eight rides to the coast", "kind": "rides", "rides_per_period": 8,
                    "routes": ["DAC-CXB", "CXB-DAC"], "price": {"amount": "320.00", "currency": "USD"},
                }
            ]
        }
    )  # fmt: skip

    code: str = Field(min_length=3, max_length=40, pattern=r"^[A-Z0-9-]+$")
    name: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=1000)
    kind: Literal["rides", "discount"]
    rides_per_period: int | None = Field(default=None, ge=1, le=200)
    discount_basis_points: int | None = Field(default=None, ge=1, le=10_000)
    routes: list[Route] = Field(default=[], max_length=100)
    cabin: Literal["economy", "premium_economy", "business", "first"] = "economy"
    price: MoneyIn
    active: bool = True

    @model_validator(mode="after")
    def _value_fits_kind(self) -> Self:
        wanted = (self.rides_per_period is not None, self.discount_basis_points is not None)
        if wanted != (self.kind == "rides", self.kind == "discount"):
            raise ValueError("`rides` has rides_per_period, `discount` has discount_basis_points, neither has both")
        return self


class PlanOut(Schema):
    id: UUID
    code: str
    name: str
    description: str
    kind: Literal["rides", "discount"]
    rides_per_period: int | None
    discount_basis_points: int | None
    routes: list[str]
    cabin: str
    price: MoneyModel
    active: bool


class Ride(RequestModel):
    """One weekly ride the traveller wants: ISO weekday (1 Monday) and local departure time."""

    weekday: int = Field(ge=1, le=7)
    departure_time: time
    route: Route


class TravellerIn(RequestModel):
    """Who rides. Passed on to the bookings and kept nowhere here."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    passenger: dict[str, Any] = Field(repr=False, description="one adult, as `POST /v1/bookings` takes a passenger")
    contact: dict[str, Any] = Field(repr=False, description="as `POST /v1/bookings` takes it")


class CreateSubscription(RequestModel):
    """`rides` picks a seat for every week; each month's are reserved together, or the month is not sold."""

    model_config = ConfigDict(hide_input_in_errors=True)

    plan_id: UUID
    rides: list[Ride] = Field(default=[], max_length=50, description="weekdays and times, of a plan of rides")
    traveller: TravellerIn | None = Field(default=None, description="required with `rides`")
    method: PaymentMethod

    @model_validator(mode="after")
    def _rides_need_a_traveller(self) -> Self:
        if bool(self.rides) != (self.traveller is not None):
            raise ValueError("`traveller` goes with `rides`: the seats are booked in a name")
        return self


class SubscriptionOut(Schema):
    """`incomplete` until the first payment succeeds; `past_due` while a renewal is tried again."""

    id: UUID
    plan: PlanOut
    status: Literal["incomplete", "active", "past_due", "paused", "cancelled"]
    cancel_at_period_end: bool
    current_period_start: date | None
    current_period_end: date | None
    next_renewal_at: datetime | None
    created_at: datetime


class SubscriptionBought(Schema):
    """The new subscription and the payment of its first month."""

    subscription: SubscriptionOut
    payment: PaymentOut
