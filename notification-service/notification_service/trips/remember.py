"""Keep the newest state of a booking, as its events tell it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.trips.tables import trip, trip_flight

LIVE = ("confirmed", "partially_cancelled", "disrupted")
ENDED = ("cancelled", "expired", "completed")
_FLYING = ("open", "checked_in")

_FLIGHTS = text(
    "INSERT INTO trip_flight (booking_id, flight_id, departs_at, departed) "
    "SELECT :booking_id, given.flight_id, greatest(given.departs_at, news.departs_at), coalesce(news.departed, false) "
    "FROM unnest(CAST(:flight_ids AS uuid[]), CAST(:departures AS timestamptz[])) AS given (flight_id, departs_at) "
    "LEFT JOIN flight_news news ON news.flight_id = given.flight_id "
    "ON CONFLICT (booking_id, flight_id) DO UPDATE SET departs_at = excluded.departs_at"
)


async def remember_trip(
    session: AsyncSession, facts: Mapping[str, Any], *, status: str | None, sequence: int, now: datetime
) -> str | None:
    """Store the booking's newest facts. None when they are the newest, else the status that newer facts gave it.

    `status` None keeps what is known (a change, a check-in); an unknown booking is `confirmed` then.
    """
    booking_id = UUID(facts["booking_id"])
    known = (
        await session.execute(select(trip.c.sequence, trip.c.status).where(trip.c.booking_id == booking_id))
    ).one_or_none()
    if known is not None and known.sequence >= sequence:
        return str(known.status)
    arrivals = [datetime.fromisoformat(one["arrival_at"]) for one in facts.get("segments", ())]
    due = facts.get("payment_required_by")
    values = {
        "booking_id": booking_id,
        "user_id": UUID(facts["user_id"]),
        "reference": facts["reference"],
        "sequence": sequence,
        "status": status or (known.status if known is not None else "confirmed"),
        "payment_required_by": datetime.fromisoformat(due) if due else None,
        "facts": dict(facts),
        "ends_at": max(arrivals, default=now + timedelta(days=1)),
    }
    statement = insert(trip).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["booking_id"], set_=values))
    await _replace_flights(session, booking_id, facts, fresh=known is None)
    return None


async def _replace_flights(session: AsyncSession, booking_id: UUID, facts: Mapping[str, Any], *, fresh: bool) -> None:
    flights = flying(facts)
    if not fresh:
        await session.execute(
            delete(trip_flight).where(
                trip_flight.c.booking_id == booking_id, trip_flight.c.flight_id.not_in(list(flights) or [booking_id])
            )
        )
    if flights:
        await session.execute(
            _FLIGHTS,
            {"booking_id": booking_id, "flight_ids": list(flights), "departures": list(flights.values())},
        )


def flying(facts: Mapping[str, Any]) -> dict[UUID, datetime]:
    """Flights of the booking somebody still flies on, with their departure."""
    live = {
        coupon["flight_id"]
        for person in facts.get("passengers", ())
        for coupon in person.get("coupons", ())
        if coupon["status"] in _FLYING
    }
    return {
        UUID(one["flight_id"]): datetime.fromisoformat(one["departure_at"])
        for one in facts.get("segments", ())
        if one["flight_id"] in live or not facts.get("passengers")
    }
