"""Keep the newest state of a booking, as its events tell it."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.driver import driver_of
from notification_service.reminders.rules import passport_reminders, visa_reminders
from notification_service.trips.tables import trip

FLYING = ("open", "checked_in")

_REMEMBER = """
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(CAST($1::uuid AS text), 77))),
newest AS (
  INSERT INTO trip AS t (booking_id, user_id, reference, sequence, status, payment_required_by, facts, ends_at,
    short_passport, short_visa)
  SELECT $1, $2, $3, $4, coalesce($5, 'confirmed'), $6, $7::jsonb, $8, $11, $12 FROM turn
  ON CONFLICT (booking_id) DO UPDATE SET user_id = excluded.user_id, reference = excluded.reference,
    sequence = excluded.sequence, status = coalesce($5, t.status), payment_required_by = excluded.payment_required_by,
    facts = excluded.facts, ends_at = excluded.ends_at, short_passport = excluded.short_passport,
    short_visa = excluded.short_visa
  WHERE t.sequence < excluded.sequence
  RETURNING xmax = 0 AS fresh),
flights AS (
  INSERT INTO trip_flight (booking_id, flight_id, departs_at, departed)
  SELECT $1, given.flight_id, greatest(given.departs_at, news.departs_at), coalesce(news.departed, false)
  FROM newest CROSS JOIN unnest($9::uuid[], $10::timestamptz[]) AS given (flight_id, departs_at)
  LEFT JOIN flight_news news ON news.flight_id = given.flight_id
  ON CONFLICT (booking_id, flight_id) DO UPDATE SET departs_at = excluded.departs_at)
SELECT fresh FROM newest
"""
"""The lock comes first, then the row as it is after the lock: ON CONFLICT looks at the newest version of it.

One event of a booking at a time, so that a mail that begins to wait and its documents see each other."""
_LEAVE = "DELETE FROM trip_flight WHERE booking_id = $1 AND flight_id <> ALL($2::uuid[])"


async def remember_trip(
    session: AsyncSession, facts: Mapping[str, Any], *, status: str | None, sequence: int, now: datetime
) -> str | None:
    """Take the booking's turn and store its newest facts. None when they are the newest, else the status that newer
    facts gave it.

    `status` None keeps what is known (a change, a check-in); an unknown booking is `confirmed` then.
    """
    booking_id = UUID(facts["booking_id"])
    arrivals = [datetime.fromisoformat(one["arrival_at"]) for one in facts.get("segments", ())]
    due = facts.get("payment_required_by") or facts.get("expired_at")
    flights = flying(facts)
    connection = await driver_of(session)
    fresh = await connection.fetchval(
        _REMEMBER,
        booking_id,
        UUID(facts["user_id"]),
        facts["reference"],
        sequence,
        status,
        datetime.fromisoformat(due) if due else None,
        json.dumps(facts),
        max(arrivals, default=now + timedelta(days=1)),
        list(flights),
        list(flights.values()),
        bool(passport_reminders(facts)),
        bool(visa_reminders(facts)),
    )
    if fresh is None:
        return str(await session.scalar(select(trip.c.status).where(trip.c.booking_id == booking_id)))
    if not fresh:
        await connection.execute(_LEAVE, booking_id, list(flights))
    return None


def flying(facts: Mapping[str, Any]) -> dict[UUID, datetime]:
    """Flights of the booking somebody still flies on, with their departure."""
    live = {
        coupon["flight_id"]
        for person in facts.get("passengers", ())
        for coupon in person.get("coupons", ())
        if coupon["status"] in FLYING
    }
    return {
        UUID(one["flight_id"]): datetime.fromisoformat(one["departure_at"])
        for one in facts.get("segments", ())
        if one["flight_id"] in live or not facts.get("passengers")
    }
