"""What admins send about places, airlines and aircraft."""

from typing import Annotated, Any

from pydantic import Field, HttpUrl

from rihla.web import RequestModel

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["BD"])]


class AirlineBody(RequestModel):
    """An airline."""

    name: str = Field(min_length=2, max_length=80)
    accounting_code: str = Field(pattern=r"^\d{3}$", examples=["911"])
    country: Country
    alliance: str | None = Field(None, max_length=40)
    logo_url: HttpUrl | None = None
    active: bool = True


class AircraftBody(RequestModel):
    """An aircraft type. The layout's form is shown in the example; a space in `letters` is an aisle."""

    name: str = Field(min_length=2, max_length=80)
    manufacturer: str = Field(min_length=2, max_length=40)
    cruise_kmh: int = Field(830, ge=200, le=2500)
    turnaround_minutes: int = Field(45, ge=10, le=600)
    active: bool = True
    layout: dict[str, Any] = Field(
        examples=[
            {
                "cabins": [
                    {"cabin": "business", "rows": [1, 3], "letters": "AC DF"},
                    {
                        "cabin": "economy",
                        "rows": [4, 29],
                        "letters": "ABC DEF",
                        "exit_rows": [11, 12],
                        "blocked": ["29E"],
                    },
                ]
            }
        ]
    )


class CountryBody(RequestModel):
    """What people call it."""

    name: str = Field(min_length=2, max_length=80, examples=["Bangladesh"])


class CityBody(RequestModel):
    """A city with several airports."""

    name: str = Field(min_length=1, max_length=80, examples=["London"])
    country: Country


class WholeAirportBody(RequestModel):
    """A whole airport; null connection times mean the defaults."""

    icao: str | None = Field(None, pattern=r"^[A-Z0-9]{4}$", examples=["VGHS"])
    name: str = Field(min_length=2, max_length=120)
    city: str = Field(min_length=1, max_length=80)
    city_code: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="The city it belongs to")
    subdivision: str = Field("", max_length=80)
    country: Country
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    time_zone: str = Field(min_length=3, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$", examples=["Asia/Dhaka"])
    min_connection_domestic: int | None = Field(None, ge=15, le=600)
    min_connection_international: int | None = Field(None, ge=15, le=600)


class AirportBody(RequestModel):
    """What admins may change of an airport; null means the default connection time."""

    name: str | None = Field(None, min_length=2, max_length=120)
    city: str | None = Field(None, min_length=1, max_length=80)
    min_connection_domestic: int | None = Field(None, ge=15, le=600)
    min_connection_international: int | None = Field(None, ge=15, le=600)
