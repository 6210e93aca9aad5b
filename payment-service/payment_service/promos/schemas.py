"""Requests and answers of promo codes."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from payment_service.payments.schemas import MoneyIn
from rihla.web import MoneyModel, RequestModel, Schema

Code = Annotated[str, Field(min_length=3, max_length=40, pattern=r"^[A-Za-z0-9_-]+$", examples=["EID25"])]
Airport = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
RoutePattern = Annotated[str, Field(pattern=r"^([A-Z]{3}|\*)-([A-Z]{3}|\*)$", examples=["DAC-*"])]
Cabin = Literal["economy", "premium_economy", "business", "first"]


class CheckPromo(RequestModel):
    """What the code would be used for; facts that are left out are not tested."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"total": {"amount": "612.40", "currency": "USD"}, "route": ["DAC", "JED"], "cabin": "economy"}
            ]
        }
    )

    total: MoneyIn
    route: list[Airport] = Field(default=[], max_length=14)
    airlines: list[Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")]] = Field(default=[], max_length=14)
    cabin: Cabin | None = None
    departure_date: date | None = None


class PromoCheckOut(Schema):
    """The discount the code would give now; nothing is reserved."""

    code: str
    title: str
    discount: MoneyModel
    total: MoneyModel


class PromoTrip(RequestModel):
    """What booking-service says of a booking; amounts in minor units."""

    code: str = Field(min_length=1, max_length=40)
    user_id: UUID
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    lines_minor: list[int] = Field(default=[], max_length=5000)
    total_minor: int = Field(ge=0, le=10**15)
    route: list[str] = Field(default=[], max_length=20)
    airlines: list[str] = Field(default=[], max_length=20)
    cabin: str | None = None
    departure_date: date | None = None


class PutPromoUse(PromoTrip):
    expires_at: datetime = Field(description="the hold's expiry; the reservation falls with it")


class ConsumePromoUse(RequestModel):
    """Empty for a use that was reserved; with its facts a use we have lost is made again."""

    code: str | None = Field(default=None, max_length=40)
    user_id: UUID | None = None
    discount_minor: int | None = Field(default=None, ge=0)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")


class PromoUseOut(Schema):
    """`unknown` answers the consumption of a use nobody reserved: there is nothing to do, and nothing to repeat."""

    booking_id: UUID | None
    code: str | None
    discount_minor: int
    currency: str | None
    status: Literal["reserved", "consumed", "released", "unknown"]


class PromoCodeIn(RequestModel):
    """A code as an administrator defines it. Percentages have two decimals at most."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "EID25", "title": "25 % for Eid", "kind": "percent", "percent": "25", "total_limit": 500,
                    "per_user_limit": 1, "routes": ["DAC-*"], "ends_at": "2026-12-31T00:00:00Z", "special_offer": True,
                }
            ]
        }
    )  # fmt: skip

    code: Code
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=1000)
    kind: Literal["percent", "fixed"]
    percent: str | None = Field(default=None, pattern=r"^\d{1,3}(\.\d{1,2})?$")
    value: MoneyIn | None = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="limits a percent code to a currency")
    max_discount_minor: int | None = Field(default=None, ge=1)
    min_spend_minor: int = Field(default=0, ge=0)
    routes: list[RoutePattern] = Field(default=[], max_length=200)
    airlines: list[Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")]] = Field(default=[], max_length=100)
    cabins: list[Cabin] = Field(default=[], max_length=4)
    first_booking_only: bool = False
    total_limit: int | None = Field(default=None, ge=1, le=10**9)
    per_user_limit: int | None = Field(default=1, ge=1, le=1000)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    travel_from: date | None = None
    travel_until: date | None = None
    stackable: bool = Field(default=True, description="whether it may be used beside another discount")
    special_offer: bool = False
    active: bool = True

    @model_validator(mode="after")
    def _value_fits_kind(self) -> Self:
        if self.kind == "percent" and (self.percent is None or self.value is not None):
            raise ValueError("a percent code has `percent` and no `value`")
        if self.kind == "percent" and not 1 <= self.basis_points() <= 10_000:
            raise ValueError("`percent` is between 0.01 and 100")
        if self.kind == "fixed" and (self.value is None or self.percent is not None):
            raise ValueError("a fixed code has `value` and no `percent`")
        for instant in (self.starts_at, self.ends_at):
            if instant is not None and instant.tzinfo is None:
                raise ValueError("instants need an offset, such as Z")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("`starts_at` is before `ends_at`")
        return self

    def basis_points(self) -> int:
        """The percentage in hundredths of a percent."""
        whole, _, fraction = (self.percent or "0").partition(".")
        return int(whole) * 100 + int(fraction.ljust(2, "0") or 0)


class PromoCodeOut(Schema):
    """A code as operations see it."""

    id: UUID
    code: str
    title: str
    description: str
    kind: Literal["percent", "fixed"]
    percent: str | None
    value: MoneyModel | None
    currency: str | None
    max_discount_minor: int | None
    min_spend_minor: int
    routes: list[str]
    airlines: list[str]
    cabins: list[str]
    first_booking_only: bool
    total_limit: int | None
    per_user_limit: int | None
    used_count: int
    starts_at: datetime | None
    ends_at: datetime | None
    travel_from: date | None
    travel_until: date | None
    stackable: bool
    special_offer: bool
    active: bool
    version: int


class SpecialOfferOut(Schema):
    """A live offer for everybody."""

    code: str
    title: str
    description: str
    percent: str | None
    value: MoneyModel | None
    routes: list[str]
    airlines: list[str]
    cabins: list[str]
    minimum_spend_minor: int
    ends_at: datetime | None
