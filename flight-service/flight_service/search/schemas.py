"""What a search may ask."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from flight_service.catalogue.layout import Cabin
from flight_service.fares.rule_set import BrandName
from rihla.web import MoneyModel, RequestModel, Schema

MAX_PASSENGERS = 10
Sort = Literal[
    "best", "price", "duration", "departure", "arrival", "-best", "-price", "-duration", "-departure", "-arrival"
]
Band = Literal["night", "morning", "midday", "afternoon", "evening"]
BANDS: dict[Band, tuple[str, str]] = {
    "night": ("00:00", "05:00"),
    "morning": ("05:00", "11:00"),
    "midday": ("11:00", "16:00"),
    "afternoon": ("16:00", "19:00"),
    "evening": ("19:00", "24:00"),
}
"""Parts of the day by local departure: [from, until)."""
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$|^24:00$")


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _upper_list(value: Any) -> Any:
    if value is None:
        return []
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return value
    return [code for part in parts for code in part.upper().replace(" ", "").split(",") if code]


def _clock(value: str) -> str:
    if not _CLOCK.match(value):
        raise ValueError("a local time is HH:MM, from 00:00 to 24:00")
    return value


Place = Annotated[
    str,
    BeforeValidator(_upper),
    Field(
        pattern=r"^[A-Z]{3}$",
        description="Airport or city code; one that names both means the airport",
        examples=["DAC"],
    ),
]
AirlineCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$")]
Airlines = Annotated[list[AirlineCode], BeforeValidator(_upper_list), Field(max_length=30)]
ClockTime = Annotated[str, AfterValidator(_clock), Field(examples=["08:30"], description="Local HH:MM")]
Amount = Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,4})?$", examples=["450.00"])]


class Filters(RequestModel):
    """What an offer must be like. Every filter is optional."""

    max_stops: int | None = Field(None, ge=0, le=2, description="Default: 1, and 2 where nothing else is found")
    airlines: Airlines = Field(default_factory=list, description="Only these (every flight of the journey)")
    exclude_airlines: Airlines = Field(default_factory=list, description="None of these")
    flight_number: Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z0-9]{2}\d{1,4}$")] | None = Field(
        None, description="A flight the journey must contain", examples=["RQ101"]
    )
    price_min: Amount | None = Field(None, description="Total for the party, in `currency`")
    price_max: Amount | None = Field(None, description="Total for the party, in `currency`")
    departure_after: ClockTime | None = Field(None, description="Local time at the origin, inclusive")
    departure_before: ClockTime | None = Field(None, description="Local time at the origin, exclusive")
    departure_band: Band | None = Field(
        None, description="A part of the day instead of two times: 0-5, 5-11, 11-16, 16-19, 19-24 o'clock"
    )
    arrival_after: ClockTime | None = Field(None, description="Local time at the destination, inclusive")
    arrival_before: ClockTime | None = Field(None, description="Local time at the destination, exclusive")
    max_duration: int | None = Field(None, ge=1, le=10_000, description="Minutes, of each slice")
    min_layover: int | None = Field(None, ge=0, le=1_440, description="Minutes")
    max_layover: int | None = Field(None, ge=0, le=1_440, description="Minutes")
    refundable: bool | None = None
    checked_bag: bool | None = Field(None, description="At least one checked bag is included")
    fare_brand: BrandName | None = Field(None, description="Default: the cheapest that fits the filters")
    include_nearby: bool = Field(False, description="Also airports within 150 km of those asked for")


class Passengers(RequestModel):
    """The party. At most ten, infants included; one infant at most for each adult."""

    adults: int | None = Field(None, ge=0, le=MAX_PASSENGERS, description="Default 1; 0 if seniors or students travel")
    children: int = Field(0, ge=0, le=MAX_PASSENGERS, description="2-11 years old at departure")
    infants: int = Field(0, ge=0, le=MAX_PASSENGERS, description="Under 2, on a lap")
    seniors: int = Field(0, ge=0, le=MAX_PASSENGERS)
    students: int = Field(0, ge=0, le=MAX_PASSENGERS)

    def counts(self) -> tuple[int, int, int, int, int]:
        """By type, in the order of PASSENGER_TYPES."""
        adults = self.adults
        if adults is None:
            adults = 0 if self.seniors or self.students else 1
        return adults, self.children, self.infants, self.seniors, self.students


class _Options(RequestModel):
    cabin: Cabin = "economy"
    currency: Annotated[str, BeforeValidator(_upper), Field(pattern=r"^[A-Z]{3}$")] = "USD"
    sort: Sort = "best"
    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=2_000)
    flexible_days: int = Field(0, ge=0, le=3, description="Also this many days before and after")


class SearchParams(Filters, Passengers, _Options):
    """Query parameters of GET /v1/flight-offers."""

    model_config = ConfigDict(extra="ignore")

    origin: Place
    destination: Place
    departure_date: date = Field(examples=["2026-12-01"])
    return_date: date | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_means_absent(cls, values: Any) -> Any:
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if value not in ("", [""])}
        return values


class CalendarDayView(Schema):
    """A day and its cheapest total for one adult; null: nothing is on sale."""

    date: date
    price: MoneyModel | None
    stops: int | None
    cheapest: bool = Field(description="No day of the month is cheaper")


class CalendarView(Schema):
    """The cheapest total of each day."""

    origin: str
    destination: str
    month: str = Field(examples=["2026-12"])
    cabin: Cabin
    trip_days: int | None
    items: list[CalendarDayView]
    next_cursor: None = None


class SliceQuery(RequestModel):
    """One journey wanted."""

    origin: Place
    destination: Place
    departure_date: date


class OfferSearch(_Options):
    """Body of POST /v1/flight-offers: one to six slices."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "slices": [
                        {"origin": "DAC", "destination": "JED", "departure_date": "2026-12-10"},
                        {"origin": "JED", "destination": "IST", "departure_date": "2026-12-20"},
                        {"origin": "IST", "destination": "DAC", "departure_date": "2026-12-24"},
                    ],
                    "passengers": {"adults": 2, "children": 1},
                    "cabin": "economy",
                    "filters": {"max_stops": 1},
                }
            ]
        }
    )

    slices: list[SliceQuery] = Field(min_length=1, max_length=6)
    passengers: Passengers = Passengers()
    filters: Filters = Filters()


def journey_of(asked: SearchParams | OfferSearch) -> Literal["one_way", "return", "multi_city"]:
    """The kind of journey asked for: the shape of the answer (offers/schemas.py: OfferPage)."""
    if isinstance(asked, SearchParams):
        return "one_way" if asked.return_date is None else "return"
    if len(asked.slices) == 1:
        return "one_way"
    out, back = asked.slices[0], asked.slices[-1]
    mirrored = (out.origin, out.destination) == (back.destination, back.origin)
    return "return" if len(asked.slices) == 2 and mirrored else "multi_city"
