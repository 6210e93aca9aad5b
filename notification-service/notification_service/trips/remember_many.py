"""The two statements by which a group of confirmed bookings is remembered, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from notification_service.driver import Driver

# Inbox rows before turns, each in the order of its ids, as the handlers take them: no two can wait for each other.
_HEAR = """
WITH heard AS (
  INSERT INTO inbox (consumer, event_id)
  SELECT $1, g.event_id FROM unnest($2::uuid[]) AS g (event_id) ORDER BY g.event_id
  ON CONFLICT DO NOTHING RETURNING event_id)
SELECT event_id, pg_advisory_xact_lock(hashtextextended(CAST(booking_id AS text), 77)) FROM (
  SELECT event_id, g.booking_id FROM unnest($2::uuid[], $3::uuid[]) AS g (event_id, booking_id)
  JOIN heard USING (event_id) ORDER BY g.booking_id) AS sorted
"""
# A statement of its own: it sees what was committed while the one before waited for the turns.
_REMEMBER = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::jsonb[], $6::timestamptz[], $10::bool[],
    $11::bool[]) AS g (booking_id, user_id, reference, sequence, facts, ends_at, short_passport, short_visa)),
flying AS MATERIALIZED (
  SELECT f.booking_id, f.flight_id, greatest(f.departs_at, news.departs_at) AS departs_at,
    coalesce(news.departed, false) AS departed
  FROM unnest($7::uuid[], $8::uuid[], $9::timestamptz[]) AS f (booking_id, flight_id, departs_at)
  LEFT JOIN flight_news news ON news.flight_id = f.flight_id),
newest AS (
  INSERT INTO trip AS t (booking_id, user_id, reference, sequence, status, facts, ends_at, short_passport,
    short_visa)
  SELECT booking_id, user_id, reference, sequence, 'confirmed', facts, ends_at, short_passport, short_visa FROM given
  ON CONFLICT (booking_id) DO UPDATE SET user_id = excluded.user_id, reference = excluded.reference,
    sequence = excluded.sequence, status = excluded.status, payment_required_by = NULL, facts = excluded.facts,
    ends_at = excluded.ends_at, short_passport = excluded.short_passport, short_visa = excluded.short_visa
  WHERE t.sequence < excluded.sequence
  RETURNING booking_id),
joined AS (
  INSERT INTO trip_flight (booking_id, flight_id, departs_at, departed)
  SELECT f.* FROM newest JOIN flying f USING (booking_id) WHERE NOT EXISTS (SELECT 1 FROM trip_flight k
    WHERE k.booking_id = f.booking_id AND k.flight_id = f.flight_id AND k.departs_at = f.departs_at)
  ON CONFLICT (booking_id, flight_id) DO UPDATE SET departs_at = excluded.departs_at),
gone AS (
  DELETE FROM trip_flight k USING newest WHERE k.booking_id = newest.booking_id AND NOT EXISTS (SELECT 1 FROM flying f
    WHERE f.booking_id = k.booking_id AND f.flight_id = k.flight_id))
SELECT booking_id, CASE WHEN newest.booking_id IS NULL THEN t.status END AS newer
FROM given LEFT JOIN newest USING (booking_id) LEFT JOIN trip t USING (booking_id)
"""


@dataclass(frozen=True, slots=True)
class NewestTrip:
    """A confirmed booking as its event tells it; `facts` are that event's data as JSON text."""

    booking_id: UUID
    user_id: UUID
    reference: str
    sequence: int
    facts: str = field(repr=False)
    ends_at: datetime
    flights: Mapping[UUID, datetime]
    short_passport: bool
    short_visa: bool


async def hear(connection: Driver, consumer: str, events: Mapping[UUID, UUID]) -> set[UUID]:
    """Record events in the inbox and take the turns of their bookings (event: booking); those that are new."""
    rows = await connection.fetch(_HEAR, consumer, list(events), list(events.values()))
    return {row["event_id"] for row in rows}


async def remember_confirmed(connection: Driver, trips: Sequence[NewestTrip]) -> dict[UUID, str | None]:
    """Store bookings whose turns are taken. For each None when these facts are the newest, else the status that newer
    facts gave it.
    """
    trips = sorted(trips, key=lambda one: one.booking_id)
    flights = [(one.booking_id, *flight) for one in trips for flight in one.flights.items()]
    rows = await connection.fetch(
        _REMEMBER,
        [one.booking_id for one in trips],
        [one.user_id for one in trips],
        [one.reference for one in trips],
        [one.sequence for one in trips],
        [one.facts for one in trips],
        [one.ends_at for one in trips],
        [booking_id for booking_id, _, _ in flights],
        [flight_id for _, flight_id, _ in flights],
        [departs_at for _, _, departs_at in flights],
        [one.short_passport for one in trips],
        [one.short_visa for one in trips],
    )
    return {row["booking_id"]: row["newer"] for row in rows}
