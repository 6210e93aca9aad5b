"""An opened offer: its id verified, its flights found unchanged, its prices locked. Immutable, safe to share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flight_service.catalogue.layout import Cabin, CabinLayout
from flight_service.fares.rule_set import Brand, BrandName, PassengerType
from flight_service.fares.rules import FareLine, PriceContext
from flight_service.offers.extras import PricedExtra, SeatPrices


class LockedFares(dict[PassengerType, tuple[FareLine, ...]]):
    """The locked lines by passenger type, each made when it is first asked for."""

    def __init__(self, make: Callable[[PassengerType], tuple[FareLine, ...]]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, kind: PassengerType) -> tuple[FareLine, ...]:
        lines = self[kind] = self._make(kind)
        return lines


@dataclass(frozen=True, slots=True)
class OpenedSegment:
    """One flight of the offer. `departure_at` and `arrival_at` carry the airport's own UTC offset."""

    flight_id: UUID
    offer_version: int
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
    terminal: str | None
    gate: str | None
    status: str
    cabin: Cabin
    fare_brand: BrandName
    fare_class: str
    international: bool
    checked_kg: int
    cabin_kg: int
    layout: CabinLayout
    fares: Mapping[PassengerType, tuple[FareLine, ...]]
    """The locked lines of every passenger type, party or not: an age may change between slices."""
    seats: SeatPrices
    extras: Mapping[str, PricedExtra]
    max_extra_kg: int
    flash_sale_id: UUID | None = None
    context: PriceContext | None = None
    """What the fares were made of; None for a stored hold's segments, which are not priced again."""

    def segment_document(self) -> dict[str, Any]:
        """An entry of a hold's `segments` (docs/contracts.md)."""
        return {
            "flight_id": str(self.flight_id),
            "slice_index": self.slice_index,
            "segment_index": self.segment_index,
            "flight_number": self.flight_number,
            "airline": self.airline,
            "airline_name": self.airline_name,
            "accounting_code": self.accounting_code,
            "aircraft": self.aircraft,
            "origin": self.origin,
            "destination": self.destination,
            "departure_at": self.departure_at.isoformat(),
            "arrival_at": self.arrival_at.isoformat(),
            "duration_minutes": self.duration_minutes,
            "terminal": self.terminal,
            "gate": self.gate,
            "status": self.status,
            "cabin": self.cabin,
            "fare_brand": self.fare_brand,
            "fare_class": self.fare_class,
            "international": self.international,
            "baggage": {"checked_kg": self.checked_kg, "cabin_kg": self.cabin_kg},
        }


@dataclass(frozen=True, slots=True)
class OpenedOffer:
    """Everything a hold needs. `party` counts the declared passenger types at the first slice's departure."""

    offer_id: str
    issued_at: datetime
    expires_at: datetime
    currency: str
    cabin: Cabin
    brand: Brand
    change_fee_minor: int
    party: Mapping[PassengerType, int]
    segments: tuple[OpenedSegment, ...]
    test_mode: bool
    rules_version: int = 0
    """The fare rules it was priced by; the hold compares it with those in force."""

    @property
    def slices(self) -> tuple[tuple[OpenedSegment, ...], ...]:
        """The segments, slice by slice."""
        count = self.segments[-1].slice_index + 1
        return tuple(tuple(s for s in self.segments if s.slice_index == index) for index in range(count))

    @property
    def flash_sales(self) -> tuple[tuple[UUID, UUID], ...]:
        """(flight id, flash sale id) of segments sold from a limited stock; each seat taken there uses one."""
        return tuple((s.flight_id, s.flash_sale_id) for s in self.segments if s.flash_sale_id is not None)

    def fare_rules_document(self) -> dict[str, Any]:
        """A hold's `fare_rules` (docs/contracts.md)."""
        brand = self.brand
        return {
            "refundable": brand.refundable,
            "changeable": brand.changeable,
            "change_fee_minor": self.change_fee_minor,
            "checked_bag": brand.checked_kg[self.cabin] > 0,
            "seat_choice": brand.seat_choice,
            "refund_brackets": [
                {"hours_before": bracket.hours_before, "fee_percent": bracket.fee_percent}
                for bracket in brand.refund_brackets
            ],
        }
