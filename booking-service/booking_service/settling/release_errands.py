"""Errands that give back or use up what others keep for a booking: holds and promo codes. Each is idempotent over
there.
"""

from uuid import UUID

from booking_service.bookings.errands import Errand
from booking_service.bookings.store import finish_errand
from booking_service.bootstrap import Container


async def release_hold(c: Container, errand: Errand) -> None:
    """Free the seats of a hold: all of them, or the (passenger, flight) items named.

    The errand is deleted only once flight-service has answered; a late payment is not honoured before
    (`confirm_booking`),
    so that this never frees what was sold again.
    """
    items = errand.payload.get("items")
    pairs = None if items is None else [(UUID(passenger_id), UUID(flight_id)) for passenger_id, flight_id in items]
    await c.flights.release(errand.uuid("hold_id"), pairs)
    async with c.db.transaction() as session:
        await finish_errand(session, errand.id)


async def release_promo(c: Container, errand: Errand) -> None:
    """Give the promo use back."""
    await c.payments.release_promo(errand.booking_id)
    async with c.db.transaction() as session:
        await finish_errand(session, errand.id)


async def consume_promo(c: Container, errand: Errand) -> None:
    """The promo use is final."""
    await c.payments.consume_promo(errand.booking_id)
    async with c.db.transaction() as session:
        await finish_errand(session, errand.id)
