"""The seat map as the API shows it."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from rihla.web import MoneyModel, Schema


class SeatOnMap(Schema):
    """One seat now."""

    designator: str = Field(examples=["12A"])
    position: Literal["window", "aisle", "middle"]
    features: list[Literal["exit_row", "extra_legroom", "bassinet", "preferred"]]
    state: Literal["free", "held", "sold", "blocked"]
    price: MoneyModel | None = Field(description="Of choosing this seat; null when it cannot be chosen")


class RowOnMap(Schema):
    """One row, its seats from left to right."""

    number: int
    exit_row: bool
    seats: list[SeatOnMap]


class CabinOnMap(Schema):
    """One cabin, its rows from front to back."""

    cabin: Literal["economy", "premium_economy", "business", "first"]
    letters: str = Field(description="Seat letters from left to right; a space is an aisle", examples=["ABC DEF"])
    rows: list[RowOnMap]


class SeatMapModel(Schema):
    """The seats of a flight with their live state and prices."""

    flight_id: UUID
    aircraft: str
    cabins: list[CabinOnMap]
