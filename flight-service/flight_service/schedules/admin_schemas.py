"""What admins send about schedules and flights, and what they see."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field

from flight_service.catalogue.layout import Cabin
from flight_service.schedules.schemas import FlightStatus
from rihla.web import MoneyModel, RequestModel, Schema


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


Iata = Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z]{3}$", examples=["DAC"])]
Airline = Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z0-9]{2}$", examples=["RQ"])]
Number = Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z0-9]{2}\d{1,4}$", examples=["RQ701"])]
Aircraft = Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z0-9]{3,4}$", examples=["32N"])]
Amount = Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,2})?$", examples=["249.00"])]
Fares = Annotated[dict[Cabin, Amount], Field(description="US dollars by cabin; 0 takes a cabin off sale")]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class ScheduleBody(RequestModel):
    """A schedule: when, where, with what. Without fares they follow from the distance."""

    airline: Airline
    flight_number: Number
    origin: Iata
    destination: Iata
    days_of_week: list[Weekday] = Field(min_length=1, max_length=7)
    departure_time: time = Field(description="Local at the origin", examples=["08:30"])
    duration_minutes: int = Field(ge=15, le=1440)
    valid_from: date
    valid_until: date
    aircraft: Aircraft
    terminal: str | None = Field(None, max_length=10)
    fares: Fares | None = None


class ScheduleView(Schema):
    """A schedule."""

    id: UUID
    airline: str
    flight_number: str
    origin: str
    destination: str
    days_of_week: list[Weekday]
    departure_time: time
    duration_minutes: int
    valid_from: date
    valid_until: date
    aircraft: str
    terminal: str | None
    fares: dict[Cabin, MoneyModel]
    active: bool
    version: int


class SoldFlight(Schema):
    id: UUID
    flight_number: str
    local_date: date


class ScheduleEffect(Schema):
    """What became of its flights. Sold ones stay: change each by itself, so that its travellers are told."""

    schedule_id: UUID
    created: int
    updated: int
    removed: int
    sold_flights: list[SoldFlight]


class FlightBody(RequestModel):
    """A flight without a schedule."""

    airline: Airline
    flight_number: Number
    origin: Iata
    destination: Iata
    departure_at: AwareDatetime = Field(examples=["2026-12-24T08:30:00+06:00"])
    duration_minutes: int = Field(ge=15, le=1440)
    aircraft: Aircraft
    terminal: str | None = Field(None, max_length=10)
    fares: Fares | None = None


class FlightPatch(RequestModel):
    """What changes; everything else stays. An empty gate or terminal takes it away."""

    status: FlightStatus | None = None
    delay_minutes: int | None = Field(None, ge=0, le=4320)
    gate: str | None = Field(None, max_length=10, examples=["B14"])
    terminal: str | None = Field(None, max_length=10)
    departure_at: AwareDatetime | None = Field(None, description="Moves the flight; its duration stays")
    fares: Fares | None = None
    reason: str | None = Field(None, max_length=300, description="Told to travellers of a cancelled flight")


class AirplaneBody(RequestModel):
    """The airplane that flies it, by its registration."""

    registration: Annotated[
        str, BeforeValidator(_upper), Field(pattern=r"^[A-Z0-9]{1,3}-?[A-Z0-9]{2,5}$", examples=["S2-AKA"])
    ]


class AirplaneView(Schema):
    """An airplane on a flight, from its departure until it is turned round."""

    flight_id: UUID
    registration: str
    aircraft: str
    busy_from: datetime
    busy_until: datetime


class AuditView(Schema):
    at: datetime
    actor: UUID
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditList(Schema):
    items: list[AuditView]
    next_cursor: None = None
