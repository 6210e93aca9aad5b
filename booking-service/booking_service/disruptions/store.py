"""Queries on disruptions that other capabilities need too."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.view import BookingView, CouponView


async def at_fault(session: AsyncSession, booking_id: UUID) -> bool:
    """Whether the airline owes everything back: it changed a flight, and the traveller has not taken that.

    A disruption that was answered by a refund counts on, so that the order of partial cancellations changes no money.
    """
    found = await session.execute(
        text("SELECT 1 FROM disruption WHERE booking_id = :id AND state IN ('open', 'refunded') LIMIT 1"),
        {"id": booking_id},
    )
    return found.first() is not None


async def close_disruptions(
    session: AsyncSession, view: BookingView, coupons: Iterable[CouponView], answer: str, *, now: datetime
) -> None:
    """Close the disruptions of flights on which, without `coupons`, nobody of the booking is left."""
    leaving = {coupon.id for coupon in coupons}
    staying = {coupon.flight_id for coupon in view.coupons if coupon.live and coupon.id not in leaving}
    flights = [segment.flight_id for segment in view.segments if segment.flight_id not in staying]
    await session.execute(
        text(
            "UPDATE disruption SET state = :answer, answered_at = :now "
            "WHERE booking_id = :id AND state = 'open' AND flight_id = ANY(:flights)"
        ),
        {"answer": answer, "now": now, "id": view.id, "flights": flights},
    )


async def open_disruption_on(session: AsyncSession, booking_id: UUID, slice_id: UUID) -> bool:
    """Whether the airline changed a flight of this slice and waits for an answer."""
    found = await session.execute(
        text(
            "SELECT 1 FROM disruption d JOIN booking_segment g ON g.booking_id = d.booking_id "
            "AND g.flight_id = d.flight_id AND g.replaced_at IS NULL "
            "WHERE d.booking_id = :id AND g.slice_id = :slice_id AND d.state = 'open' LIMIT 1"
        ),
        {"id": booking_id, "slice_id": slice_id},
    )
    return found.first() is not None
