"""Flights as the API shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from flight_service.catalogue.layout import Cabin
from rihla.web import MoneyModel, Schema

FlightStatus = Literal["scheduled", "delayed", "boarding", "departed", "arrived", "cancelled"]


class FlightCabin(Schema):
    cabin: Cabin
    free_seats: int = Field(description="The exact number")
    from_price: MoneyModel | None = Field(description="Cheapest adult price now; null when the cabin cannot be sold")


class FlightView(Schema):
    """A flight on the board. Times carry the airport's own UTC offset; a delay is not in them."""

    id: UUID
    flight_number: str = Field(examples=["RQ101"])
    airline: str
    origin: str
    destination: str
    departure_at: datetime = Field(examples=["2026-12-01T08:30:00+06:00"])
    arrival_at: datetime
    status: FlightStatus
    gate: str | None
    terminal: str | None
    delay_minutes: int
    cabins: list[FlightCabin]


class FlightPage(Schema):
    items: list[FlightView]
    next_cursor: str | None = None


class StatusEntry(Schema):
    """Something that happened to the flight."""

    at: datetime
    kind: str = Field(examples=["flight.gate_changed.v1"])


class FlightDetail(FlightView):
    aircraft: str
    duration: str = Field(examples=["PT6H50M"])
    estimated_departure_at: datetime = Field(description="With the delay")
    estimated_arrival_at: datetime
    timeline: list[StatusEntry]


class PricePoint(Schema):
    at: datetime
    cabin: Cabin
    published_fare: MoneyModel
    adult_price: MoneyModel = Field(description="Cheapest adult fare on offer at that time, without taxes")
    reason: Literal["opened", "fare", "day"]


class PriceHistory(Schema):
    items: list[PricePoint]
    next_cursor: None = None
