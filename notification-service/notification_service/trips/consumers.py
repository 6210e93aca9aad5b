"""Events of booking-service and flight-service: remember, then tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.telling.facts import Fact, Recipient
from notification_service.telling.tell import Teller
from notification_service.trips.booking_news import LIVE, booking_fact, is_stale, status_after
from notification_service.trips.documents import remember_documents
from notification_service.trips.recipients import owner_of, travellers_of
from notification_service.trips.remember import remember_trip
from notification_service.trips.tables import trip, trip_flight
from rihla.contracts.events import BookingDocumentsReadyV1, Envelope
from rihla.kernel import Clock

_NEWS = text(
    "INSERT INTO flight_news AS n (flight_id, sequence, delay_minutes, departs_at, departed, gate, terminal) "
    "VALUES (:flight_id, :sequence, :delay_minutes, :departs_at, :departed, :gate, :terminal) "
    "ON CONFLICT (flight_id) DO UPDATE SET sequence = excluded.sequence, delay_minutes = excluded.delay_minutes, "
    "departs_at = excluded.departs_at, departed = n.departed OR excluded.departed, gate = excluded.gate, "
    "terminal = excluded.terminal WHERE n.sequence < excluded.sequence RETURNING 1"
)


@dataclass(frozen=True, slots=True)
class TripConsumers:
    """Handlers run in the transaction that recorded the event."""

    teller: Teller
    clock: Clock

    async def on_booking(self, session: AsyncSession, envelope: Envelope) -> None:
        """Any event that carries the whole booking."""
        facts = envelope.parse().model_dump(mode="json")
        newer = await remember_trip(
            session,
            facts,
            status=status_after(envelope.type, facts),
            sequence=envelope.sequence,
            now=self.clock.now(),
        )
        told = booking_fact(envelope, facts)
        if told is None or is_stale(told.kind, newer):
            return
        await self.teller.tell(session, told, [owner_of(facts)], now=self.clock.now())

    async def on_documents_ready(self, session: AsyncSession, envelope: Envelope) -> None:
        """Documents can be fetched: mails that waited may go."""
        ready = envelope.parse()
        assert isinstance(ready, BookingDocumentsReadyV1)
        await remember_documents(
            session,
            ready.booking_id,
            ready.cause,
            ready.documents,
            sequence=envelope.sequence,
            now=self.clock.now(),
        )

    async def on_flight(self, session: AsyncSession, envelope: Envelope) -> None:
        """News of a flight: move the expected departure, and tell everybody on board."""
        news = envelope.parse().model_dump(mode="json")
        if not await self._is_news(session, envelope, news):
            return
        fact_name = _flight_fact_name(envelope.type, news)
        if fact_name is None:
            return
        kind, name = fact_name
        for booking_id, facts in await _bookings_on(session, UUID(news["flight_id"])):
            values = {**news, "reference": facts["reference"]}
            fact = Fact(name=f"{name}:{booking_id}", kind=kind, values=values, booking_id=booking_id)
            recipients = await travellers_of(session, facts, UUID(news["flight_id"]))
            await self.teller.tell(session, fact, recipients, now=self.clock.now())

    async def on_price_alert(self, session: AsyncSession, envelope: Envelope) -> None:
        """A watched fare fell."""
        alert = envelope.parse().model_dump(mode="json")
        fact = Fact(f"price_alert:{alert['alert_id']}:{alert['occurred_at']}", "price_alert", alert)
        await self.teller.tell(session, fact, [Recipient(UUID(alert["user_id"]))], now=self.clock.now())

    async def _is_news(self, session: AsyncSession, envelope: Envelope, news: Mapping[str, Any]) -> bool:
        flight_id = UUID(news["flight_id"])
        departs_at = _expected_departure(news)
        values = {
            "flight_id": flight_id,
            "sequence": envelope.sequence,
            "delay_minutes": news["delay_minutes"],
            "departs_at": departs_at,
            "departed": envelope.type == "flight.departed.v1",
            "gate": news["gate"],
            "terminal": news["terminal"],
        }
        if (await session.execute(_NEWS, values)).first() is None:
            return False
        moved: dict[str, Any] = {"departs_at": departs_at}
        if envelope.type in ("flight.departed.v1", "flight.cancelled.v1"):
            moved["departed"] = True
        await session.execute(update(trip_flight).where(trip_flight.c.flight_id == flight_id).values(moved))
        return True


def _expected_departure(news: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(news["departure_at"]) + timedelta(minutes=news["delay_minutes"])


def _flight_fact_name(event_type: str, news: Mapping[str, Any]) -> tuple[str, str] | None:
    """(kind, stable name) of flight news; a cancelled flight is told by booking.disrupted, a departed one by nobody."""
    flight = news["flight_id"]
    if event_type == "flight.delayed.v1" and news["delay_minutes"] > 0:
        return "flight_delayed", f"flight_delayed:{flight}:{news['delay_minutes']}:{news['departure_at']}"
    if event_type == "flight.gate_changed.v1":
        return "gate_changed", f"gate_changed:{flight}:{news['terminal']}:{news['gate']}"
    if event_type == "flight.retimed.v1":
        return "flight_retimed", f"flight_retimed:{flight}:{news['departure_at']}"
    return None


async def _bookings_on(session: AsyncSession, flight_id: UUID) -> list[tuple[UUID, dict[str, Any]]]:
    found = await session.execute(
        select(trip.c.booking_id, trip.c.facts)
        .join(trip_flight, trip_flight.c.booking_id == trip.c.booking_id)
        .where(trip_flight.c.flight_id == flight_id, trip.c.status.in_(LIVE))
        .order_by(trip.c.booking_id)
    )
    return [(row.booking_id, row.facts) for row in found]
