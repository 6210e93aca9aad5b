"""Events of flight-service; the aggregate is the flight."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from rihla.contracts.events.envelope import EventData


class _FlightEvent(EventData):
    producer: ClassVar[str] = "flight"
    flight_id: UUID
    flight_number: str
    airline: str
    origin: str
    destination: str
    departure_at: datetime
    """As scheduled now, with the airport's own offset."""
    arrival_at: datetime
    terminal: str | None = None
    gate: str | None = None
    delay_minutes: int = 0
    occurred_at: datetime


class FlightDelayedV1(_FlightEvent):
    """The flight will leave `delay_minutes` after its scheduled time."""

    event_type: ClassVar[str] = "flight.delayed.v1"


class FlightGateChangedV1(_FlightEvent):
    """Gate or terminal were set or changed."""

    event_type: ClassVar[str] = "flight.gate_changed.v1"
    previous_gate: str | None = None
    previous_terminal: str | None = None


class FlightCancelledV1(_FlightEvent):
    """The flight will not operate."""

    event_type: ClassVar[str] = "flight.cancelled.v1"
    reason: str | None = None


class FlightRetimedV1(_FlightEvent):
    """The timetable changed: departure moved from `previous_departure_at`."""

    event_type: ClassVar[str] = "flight.retimed.v1"
    previous_departure_at: datetime
    previous_arrival_at: datetime


class FlightDepartedV1(_FlightEvent):
    """The flight has left."""

    event_type: ClassVar[str] = "flight.departed.v1"


class PriceAlertTriggeredV1(EventData):
    """A fare a traveller watches fell to their target."""

    event_type: ClassVar[str] = "price_alert.triggered.v1"
    producer: ClassVar[str] = "flight"
    alert_id: UUID
    user_id: UUID
    origin: str
    destination: str
    price_minor: int
    currency: str
    occurred_at: datetime
