"""Places, airlines and aircraft as the API shows them."""

from typing import Any

from pydantic import Field

from flight_service.catalogue.layout import Cabin, Position
from rihla.web import Schema


class AirportView(Schema):
    """An airport with an IATA code."""

    iata: str = Field(examples=["DAC"])
    icao: str | None = Field(examples=["VGHS"])
    name: str = Field(examples=["Dhaka / Hazrat Shahjalal International Airport"])
    city: str = Field(examples=["Dhaka"])
    city_code: str | None = Field(description="IATA code of a city with several airports", examples=["LON"])
    subdivision: str
    country: str = Field(description="ISO 3166-1", examples=["BD"])
    country_name: str = Field(examples=["Bangladesh"])
    latitude: float
    longitude: float
    time_zone: str = Field(examples=["Asia/Dhaka"])
    min_connection_domestic: int = Field(description="Minutes to change between two domestic flights")
    min_connection_international: int = Field(description="Minutes to change otherwise")


class NearbyAirport(AirportView):
    """An airport and how far away it is."""

    distance_km: int


class NearbyAirports(Schema):
    items: list[NearbyAirport]
    next_cursor: None = None


class CityChanged(Schema):
    """A city as an admin set it."""

    code: str = Field(examples=["LON"])
    name: str = Field(examples=["London"])
    country: str = Field(description="ISO 3166-1", examples=["GB"])


class CityView(CityChanged):
    """A city whose airports can be searched together."""

    airports: list[str] = Field(examples=[["LCY", "LGW", "LHR"]])


class CountryView(Schema):
    """A country that has an airport."""

    code: str = Field(description="ISO 3166-1", examples=["BD"])
    name: str = Field(examples=["Bangladesh"])


class AirlineView(Schema):
    """An airline."""

    iata: str = Field(examples=["RQ"])
    name: str = Field(examples=["Rihla Airways"])
    accounting_code: str = Field(description="First three digits of its e-ticket numbers", examples=["901"])
    country: str
    alliance: str | None
    logo_url: str | None


class SeatView(Schema):
    designator: str = Field(examples=["12A"])
    position: Position
    features: list[str] = Field(description="exit_row, extra_legroom, bassinet, preferred")
    blocked: bool


class RowView(Schema):
    number: int
    exit_row: bool
    seats: list[SeatView]


class CabinView(Schema):
    cabin: Cabin
    capacity: int
    letters: str = Field(description="Seat letters from left to right; a space is an aisle", examples=["ABC DEF"])
    rows: list[RowView]


class AircraftView(Schema):
    """An aircraft type with its seats."""

    code: str = Field(examples=["32N"])
    name: str = Field(examples=["A320neo"])
    manufacturer: str = Field(examples=["Airbus"])
    cabins: list[CabinView]


Row = dict[str, Any]
