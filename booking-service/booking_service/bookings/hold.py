"""flight-service's answer about a hold, as a plain value (contracts.md). All later parts of booking-service speak of
this.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSegment:
    """One flight of the held itinerary; local times carry the airport's offset."""

    flight_id: UUID
    slice_index: int
    segment_index: int
    flight_number: str
    airline: str
    airline_name: str
    accounting_code: str
    aircraft: str
    origin: str
    destination: str
    departure_at: datetime
    arrival_at: datetime
    duration_minutes: int
    status: str
    cabin: str
    fare_brand: str
    fare_class: str
    international: bool
    baggage: dict[str, int]
    terminal: str | None = None
    gate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One line of the locked price: one passenger, one segment. Minor units."""

    passenger_id: UUID
    flight_id: UUID
    kind: str
    code: str
    name: str
    amount_minor: int
    refund_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSeat:
    passenger_id: UUID
    flight_id: UUID
    designator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is held or sold at flight-service, and at what price."""

    currency: str
    total_minor: int
    segments: tuple[HeldSegment, ...]
    fare_rules: dict[str, Any]
    price_lines: tuple[HeldLine, ...]
    seats: tuple[HeldSeat, ...] = ()
    notes: tuple[str, ...] = ()
    status: str = "quoted"
    id: UUID | None = None
    offer_id: str = ""
    expires_at: datetime | None = None

    def adds_up(self) -> bool:
        """Whether the lines make the total to the last minor unit, each for one of the held segments."""
        flights = {segment.flight_id for segment in self.segments}
        return sum(line.amount_minor for line in self.price_lines) == self.total_minor and all(
            line.flight_id in flights for line in self.price_lines
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldQuote:
    """Prices only: what lines would cost."""

    currency: str
    total_minor: int
    price_lines: tuple[HeldLine, ...]
