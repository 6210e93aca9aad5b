"""Bookings that were just placed, remembered many at a time: most are not paid yet, and nobody is told of them.

`booking.created.v1` comes by the hundred a second. What is waiting shares one statement, which records the events in
the inbox and the bookings with their flights; whatever is not this plain goes the way of every other event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from notification_service.trips.remember import FLYING
from rihla.contracts.events import BookingCreatedV1, Envelope
from rihla.db.group_writer import GroupWriter
from rihla.db.kept_connection import KeptConnection
from rihla.telemetry import get_logger

log = get_logger("remember_placed")
_FIRST: Final = 1
# Inbox rows before turns, each in the order of its ids, as the handlers take them: no two can wait for each other.
_REMEMBER = """
WITH given AS MATERIALIZED (
  SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::jsonb[],
    $8::timestamptz[]) AS g (event_id, booking_id, user_id, reference, due, facts, ends_at)),
heard AS (
  INSERT INTO inbox (consumer, event_id) SELECT $1, event_id FROM given ORDER BY event_id
  ON CONFLICT DO NOTHING RETURNING event_id),
turns AS MATERIALIZED (
  SELECT pg_advisory_xact_lock(hashtextextended(CAST(booking_id AS text), 77)) FROM (
    SELECT booking_id FROM given JOIN heard USING (event_id) ORDER BY booking_id) AS sorted),
newest AS (
  INSERT INTO trip (booking_id, user_id, reference, sequence, status, payment_required_by, facts, ends_at,
    short_passport, short_visa)
  SELECT booking_id, user_id, reference, 1, 'pending_payment', due, facts, ends_at, false, false
  FROM (SELECT count(*) FROM turns) AS taken CROSS JOIN given JOIN heard USING (event_id)
  ON CONFLICT (booking_id) DO NOTHING RETURNING booking_id),
flights AS (
  INSERT INTO trip_flight (booking_id, flight_id, departs_at, departed)
  SELECT f.booking_id, f.flight_id, greatest(f.departs_at, news.departs_at), coalesce(news.departed, false)
  FROM newest JOIN unnest($9::uuid[], $10::uuid[], $11::timestamptz[]) AS f (booking_id, flight_id, departs_at)
    USING (booking_id)
  LEFT JOIN flight_news news ON news.flight_id = f.flight_id)
SELECT event_id FROM heard
"""
"""The first event of a booking is never newer than what is known of it: then only the inbox row is new.

Nobody is reminded of papers before a booking is paid, and the event of that looks at them."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """An event of a booking that was placed, and who hears it."""

    consumer: str
    event_id: UUID
    booking: BookingCreatedV1


class RememberPlaced:
    """What the consumer asks before the handler of `booking.created.v1`."""

    def __init__(self, connection: KeptConnection) -> None:
        self._connection = connection
        self._writer: GroupWriter[_Placed, bool] = GroupWriter(
            "placed", self._write, keys=_keys, full=lambda: RuntimeError("too many placed bookings are waiting")
        )

    async def take(self, envelope: Envelope, consumer: str) -> bool:
        """Remember the booking. False, with nothing changed, for a repeat, a partner's booking, what is not plain."""
        event = envelope.parse()
        assert isinstance(event, BookingCreatedV1)
        if envelope.sequence != _FIRST or event.organisation_id is not None or not event.segments:
            return False
        return await self._writer.submit(_Placed(consumer, envelope.id, event))

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._writer.close()

    async def _write(self, group: Sequence[_Placed]) -> list[bool | Exception]:
        try:
            async with self._connection.use() as connection:
                heard = await connection.fetch(_REMEMBER, group[0].consumer, *_columns(group))
        except asyncpg.PostgresError as error:
            # One of them does not fit: each goes its own way, and only that one fails.
            log.warning("placed_group_failed", members=len(group), error=type(error).__name__)
            return [False] * len(group)
        new = {row["event_id"] for row in heard}
        return [one.event_id in new for one in group]


def _keys(one: _Placed) -> frozenset[object]:
    """A booking, and an event, once a group."""
    return frozenset({one.booking.booking_id, one.event_id})


def _columns(group: Sequence[_Placed]) -> tuple[list[object], ...]:
    flights = [(one.booking.booking_id, *flight) for one in group for flight in _flying(one.booking).items()]
    return (
        [one.event_id for one in group],
        [one.booking.booking_id for one in group],
        [one.booking.user_id for one in group],
        [one.booking.reference for one in group],
        [one.booking.payment_required_by for one in group],
        [one.booking.model_dump_json() for one in group],
        [max(segment.arrival_at for segment in one.booking.segments) for one in group],
        [booking_id for booking_id, _, _ in flights],
        [flight_id for _, flight_id, _ in flights],
        [departs_at for _, _, departs_at in flights],
    )


def _flying(booking: BookingCreatedV1) -> dict[UUID, datetime]:
    """Flights somebody flies on, with their departure."""
    live = {coupon.flight_id for one in booking.passengers for coupon in one.coupons if coupon.status in FLYING}
    return {
        one.flight_id: one.departure_at for one in booking.segments if one.flight_id in live or not booking.passengers
    }
