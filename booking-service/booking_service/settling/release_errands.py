"""Errands that give back or use up what others keep for a booking: holds, promo codes, rides. Each is idempotent over
there.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from booking_service.bookings.errands import Errand
from booking_service.bookings.payment_client import PromoUseRefused
from booking_service.bookings.store import add_timeline, finish_errand
from booking_service.bootstrap import Container
from rihla.telemetry import get_logger

log = get_logger("release_errands")


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
    await _settle_promo(c, errand, c.payments.release_promo)


async def consume_promo(c: Container, errand: Errand) -> None:
    """The promo use is final."""
    await _settle_promo(c, errand, c.payments.consume_promo)


async def consume_rides(c: Container, errand: Errand) -> None:
    """The rides of the plan are used."""
    await _settle_promo(c, errand, c.payments.consume_rides)


async def release_rides(c: Container, errand: Errand) -> None:
    """Give rides of the plan back: all, or as many segments in total as the errand says."""
    await _settle_promo(
        c, errand, lambda booking_id: c.payments.release_rides(booking_id, errand.payload.get("segments"))
    )


async def _settle_promo(c: Container, errand: Errand, settle: Callable[[UUID], Awaitable[None]]) -> None:
    """A refusal ends the errand, for asking again would change nothing: it stands in the timeline for support."""
    refusal = None
    try:
        await settle(errand.booking_id)
    except PromoUseRefused as refused:
        refusal = refused.detail
        log.error("promo_use_refused", kind=errand.kind, booking_id=str(errand.booking_id), reason=refusal)
    async with c.db.transaction() as session:
        if refusal is not None:
            now = c.clock.now()
            await add_timeline(
                session, errand.booking_id, f"{errand.kind}_refused", actor="payment", now=now, reason=refusal
            )
        await finish_errand(session, errand.id)
