"""Seats, extras and changes on the wire."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from booking_service.changing.buy_extras import ExtrasWish
from booking_service.changing.move_seats import SeatWish
from booking_service.placing.order import ChosenExtra, ChosenSeat
from booking_service.placing.schemas import Designator, ExtraRequest, SeatRequest, SsrCode
from rihla.web import MoneyModel, RequestModel, Schema


class SeatMove(RequestModel):
    passenger_id: UUID
    flight_id: UUID
    designator: Designator

    def wish(self) -> SeatWish:
        """As a plain value."""
        return SeatWish(self.passenger_id, self.flight_id, self.designator)


class SeatMoves(RequestModel):
    """All of a flight's moves, or none."""

    items: list[SeatMove] = Field(min_length=1, max_length=60)


class PassengerExtras(RequestModel):
    """What one passenger wants more of."""

    passenger_id: UUID
    extra_bags: int = Field(default=0, ge=0, le=9)
    extras: list[ExtraRequest] = Field(default_factory=list, max_length=20)
    seats: list[SeatRequest] = Field(default_factory=list, max_length=12)
    ssr: list[SsrCode] = Field(default_factory=list, max_length=8)

    def wish(self) -> ExtrasWish:
        """As a plain value."""
        return ExtrasWish(
            passenger_id=self.passenger_id,
            extra_bags=self.extra_bags,
            extras=tuple(
                ChosenExtra(code=one.code, flight_id=one.flight_id, quantity=one.quantity) for one in self.extras
            ),
            seats=tuple(ChosenSeat(flight_id=one.flight_id, designator=one.designator) for one in self.seats),
            ssr=tuple(self.ssr),
        )


class ExtrasRequest(RequestModel):
    """Bags, meals, assistance and seats after purchase."""

    passengers: list[PassengerExtras] = Field(min_length=1, max_length=10)


class ChangeQuoteRequest(RequestModel):
    """The slice to move, and the offer (one slice, same route, same passengers) of the other flight."""

    slice_id: UUID
    offer_id: str = Field(min_length=1, max_length=4096)


class NewSegment(Schema):
    flight_id: UUID
    flight_number: str
    origin: str
    destination: str
    departure_at: datetime
    arrival_at: datetime


class ChangeQuote(Schema):
    """What the change would cost: fare difference and fee. A disrupted traveller moves free of charge."""

    id: UUID
    booking_id: UUID
    slice_id: UUID
    involuntary: bool
    old_value: MoneyModel
    new_value: MoneyModel
    fee: MoneyModel
    due: MoneyModel
    refund: MoneyModel
    segments: list[NewSegment]
    expires_at: datetime


class ChangeRequest(RequestModel):
    quote_id: UUID
