"""Events of flight-service. Each handler calls one deed, in the transaction that recorded the event."""

from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bootstrap import Container
from booking_service.disruptions.take_flight_change import FlightChange, take_flight_change
from rihla.contracts.events import (
    Envelope,
    FlightCancelledV1,
    FlightDelayedV1,
    FlightDepartedV1,
    FlightGateChangedV1,
    FlightRetimedV1,
)

_KINDS: dict[type, str] = {
    FlightCancelledV1: "cancelled",
    FlightRetimedV1: "retimed",
    FlightDelayedV1: "delayed",
    FlightDepartedV1: "departed",
    FlightGateChangedV1: "gate_changed",
}
_Event = FlightCancelledV1 | FlightRetimedV1 | FlightDelayedV1 | FlightDepartedV1 | FlightGateChangedV1


class FlightEvents:
    """The one handler of everything flight-service tells of a flight."""

    def __init__(self, c: Container) -> None:
        self._c = c

    async def changed(self, session: AsyncSession, envelope: Envelope) -> None:
        """Bring the flight's bookings up to date; news older than what they know is ignored."""
        event = envelope.parse()
        assert isinstance(event, _Event)
        was = event.previous_departure_at if isinstance(event, FlightRetimedV1) else event.departure_at
        change = FlightChange(
            flight_id=event.flight_id,
            sequence=envelope.sequence,
            kind=_KINDS[type(event)],
            departure_at=event.departure_at,
            arrival_at=event.arrival_at,
            departure_was=was,
            terminal=event.terminal,
            gate=event.gate,
            delay_minutes=event.delay_minutes,
        )
        await take_flight_change(session, self._c, change)
