"""Read a whole booking in one round trip: PostgreSQL builds one JSON document, msgspec turns it into the view."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.errors import BookingNotFound
from booking_service.bookings.states import PUBLIC_STATES
from booking_service.bookings.view import BookingView
from rihla.auth import Principal

BOOKING_DOCUMENT = """
SELECT row_to_json(whole)::text FROM (
  SELECT b.*,
    (SELECT coalesce(json_agg(row_to_json(one) ORDER BY one.slice_index), '[]') FROM (
       SELECT s.*, (SELECT coalesce(json_agg(row_to_json(g) ORDER BY g.segment_index), '[]') FROM booking_segment g
                    WHERE g.slice_id = s.id AND g.booking_id = b.id AND g.replaced_at IS NULL) AS segments
       FROM booking_slice s WHERE s.booking_id = b.id) one) AS slices,
    (SELECT coalesce(json_agg(row_to_json(g)), '[]') FROM booking_segment g
      WHERE g.booking_id = b.id AND g.replaced_at IS NOT NULL) AS replaced_segments,
    (SELECT coalesce(json_agg(row_to_json(one) ORDER BY one.position), '[]') FROM (
       SELECT p.*, (SELECT coalesce(json_agg(row_to_json(c) ORDER BY c.departs), '[]') FROM (
                      SELECT o.*, g.departs, i.sequence, i.checked_in_at FROM coupon o
                      JOIN booking_segment g ON g.id = o.segment_id AND g.replaced_at IS NULL
                      LEFT JOIN check_in i ON i.coupon_id = o.id AND i.state = 'active'
                      WHERE o.booking_id = b.id AND o.passenger_id = p.id) c) AS coupons
       FROM passenger p WHERE p.booking_id = b.id) one) AS passengers,
    (SELECT coalesce(json_agg(row_to_json(l) ORDER BY l.id), '[]') FROM price_line l
      WHERE l.booking_id = b.id AND l.superseded_by IS NULL) AS price_lines,
    (SELECT coalesce(json_agg(row_to_json(h) ORDER BY h.created_at, h.id), '[]') FROM charge h
      WHERE h.booking_id = b.id) AS charges,
    (SELECT coalesce(json_agg(row_to_json(r) ORDER BY r.created_at, r.id), '[]') FROM refund r
      WHERE r.booking_id = b.id) AS refunds
  FROM booking b WHERE {which}
) whole"""

_BY_ID = text(BOOKING_DOCUMENT.format(which="b.id = :id AND b.total_minor IS NOT NULL"))
_BY_REFERENCE = text(BOOKING_DOCUMENT.format(which="b.reference = :reference AND b.total_minor IS NOT NULL"))
_MANY = text(BOOKING_DOCUMENT.format(which="b.id = ANY(:ids) AND b.total_minor IS NOT NULL"))
_LOCK = text("SELECT 1 FROM booking WHERE id = :id FOR NO KEY UPDATE")

_decoder = msgspec.json.Decoder(BookingView)


def view_of(document: str) -> BookingView:
    """The view a BOOKING_DOCUMENT describes."""
    return _decoder.decode(document)


async def load_booking(session: AsyncSession, booking_id: UUID) -> BookingView | None:
    """The booking, or None when there is none that was ever placed."""
    found = (await session.execute(_BY_ID, {"id": booking_id})).scalar_one_or_none()
    return None if found is None else _decoder.decode(found)


async def load_by_reference(session: AsyncSession, reference: str) -> BookingView | None:
    """The booking of a reference, or None."""
    found = (await session.execute(_BY_REFERENCE, {"reference": reference})).scalar_one_or_none()
    return None if found is None else _decoder.decode(found)


async def load_many(session: AsyncSession, booking_ids: Sequence[UUID]) -> list[BookingView]:
    """These bookings, in the order of the ids."""
    found = (await session.execute(_MANY, {"ids": list(booking_ids)})).scalars()
    views = {view.id: view for view in map(_decoder.decode, found)}
    return [views[booking_id] for booking_id in booking_ids if booking_id in views]


async def lock_booking(session: AsyncSession, booking_id: UUID) -> BookingView | None:
    """The booking with its row locked until the transaction ends: whoever changes a booking reads it through this."""
    await session.execute(_LOCK, {"id": booking_id})
    return await load_booking(session, booking_id)


def owned(view: BookingView | None, principal: Principal) -> BookingView:
    """`view` when the caller may see it; BookingNotFound for nobody's, somebody else's and a live one under a test
    key.
    """
    if view is None or view.state not in PUBLIC_STATES or view.user_id != principal.user_id:
        raise BookingNotFound("There is no such booking among yours.")
    if principal.kind == "partner" and view.test_mode != principal.test_mode:
        raise BookingNotFound("There is no such booking among yours.")
    return view


async def load_owned(session: AsyncSession, booking_id: UUID, principal: Principal) -> BookingView:
    """The caller's own booking; BookingNotFound otherwise."""
    return owned(await load_booking(session, booking_id), principal)


async def lock_owned(session: AsyncSession, booking_id: UUID, principal: Principal) -> BookingView:
    """The caller's own booking, locked; BookingNotFound otherwise."""
    return owned(await lock_booking(session, booking_id), principal)
