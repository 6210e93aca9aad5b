"""Bodies of the seat-plan routes (docs/contracts.md)."""

from datetime import date, datetime, time
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from booking_service.placing.order import Passport, Traveller
from booking_service.placing.schemas import (
    ContactRequest,
    PassengerContactRequest,
    PassportRequest,
    SsrCode,
    VisaRequest,
)
from booking_service.seat_plans.kept_traveller import PlanTraveller
from booking_service.seat_plans.plan import Ride, SeatPlan
from rihla.kernel import new_id
from rihla.web import RequestModel, Schema

Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_LONGEST_DAYS = 62


class RideRequest(RequestModel):
    """One flight of every week; Monday is 1 (ISO 8601)."""

    weekday: int = Field(ge=1, le=7)
    departure_time: Clock = Field(description="Local at the origin", examples=["08:30"])
    route: str = Field(pattern=r"^[A-Z]{3}-[A-Z]{3}$", examples=["DAC-CXB"])

    def ride(self) -> Ride:
        """As a plain value."""
        return Ride(weekday=self.weekday, departure_time=time.fromisoformat(self.departure_time), route=self.route)


class PlanPassengerRequest(RequestModel):
    """A passenger as POST /v1/bookings takes one: an adult, named in full, without anything that costs extra."""

    type: Literal["adult"] = "adult"
    companion_id: None = None
    title: Literal["mr", "mrs", "ms", "miss", "mx", "dr", "mstr", "prof"] | None = None
    given_name: str = Field(max_length=200)
    surname: str = Field(max_length=200)
    date_of_birth: date
    gender: Literal["female", "male", "unspecified", "undisclosed"] | None = None
    passport: PassportRequest | None = None
    visas: list[VisaRequest] = Field(default_factory=list, max_length=5)
    contact: PassengerContactRequest | None = None
    seats: list[UUID] = Field(default_factory=list, max_length=0)
    seat_preference: Literal["window", "aisle", "middle"] | None = None
    ssr: list[SsrCode] = Field(default_factory=list, max_length=8)
    extra_bags: int = Field(default=0, ge=0, le=0)
    extras: list[UUID] = Field(default_factory=list, max_length=0)

    def traveller(self) -> Traveller:
        """As a plain value."""
        passport = self.passport
        return Traveller(
            id=new_id(),
            type=self.type,
            title=self.title,
            given_name=self.given_name,
            surname=self.surname,
            date_of_birth=self.date_of_birth,
            gender=self.gender,
            passport=None if passport is None else Passport(**passport.model_dump()),
            visas=tuple(one.visa() for one in self.visas),
            email=self.contact.email if self.contact else None,
            phone=self.contact.phone if self.contact else None,
            seat_preference=self.seat_preference,
            ssr=tuple(dict.fromkeys(self.ssr)),
        )


class PlanTravellerRequest(RequestModel):
    """Who travels on the subscription, and how to reach them."""

    passenger: PlanPassengerRequest
    contact: ContactRequest

    def who(self) -> PlanTraveller:
        """As a plain value."""
        return PlanTraveller(
            traveller=self.passenger.traveller(),
            contact_email=self.contact.email,
            contact_phone=self.contact.phone,
            locale=self.contact.locale,
        )


class SeatPlanRequest(RequestModel):
    """The rides of a period. `ends_on` is the day after the last."""

    subscription_id: UUID
    user_id: UUID
    starts_on: date
    ends_on: date
    expires_at: AwareDatetime = Field(description="The end of the window to pay")
    cabin: Literal["economy", "premium_economy", "business", "first"] = "economy"
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    rides: list[RideRequest] = Field(min_length=1, max_length=28)
    traveller: PlanTravellerRequest | None = Field(
        default=None, description="Required for a subscription's first period; kept for the later ones"
    )

    @model_validator(mode="after")
    def _days_and_rides_make_sense(self) -> Self:
        if not 1 <= (self.ends_on - self.starts_on).days <= _LONGEST_DAYS:
            raise ValueError(f"a period lasts from 1 to {_LONGEST_DAYS} days")
        if len({one.ride() for one in self.rides}) != len(self.rides):
            raise ValueError("a ride is named twice")
        return self

    def plan(self, plan_id: UUID) -> SeatPlan:
        """As a plain value."""
        return SeatPlan(
            id=plan_id,
            subscription_id=self.subscription_id,
            user_id=self.user_id,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            expires_at=self.expires_at,
            cabin=self.cabin,
            currency=self.currency,
            rides=tuple(one.ride() for one in self.rides),
        )


class PlanBooking(Schema):
    """One ride; `date` and `departure_at` are local at the origin."""

    booking_id: UUID
    reference: str
    date: date
    route: str
    flight_id: UUID
    flight_number: str
    departure_at: datetime


class SeatPlanView(Schema):
    """A plan and its bookings, in the order they are flown."""

    id: UUID
    status: Literal["held", "confirmed", "released", "expired"]
    expires_at: datetime | None = Field(description="Null in a plan that was released before it arrived")
    bookings: list[PlanBooking]
