"""The traveller's answer to a disruption: accept it. (Moving goes through changes, refunds through cancellations.)"""

from uuid import UUID

from sqlalchemy import text

from booking_service.bookings import facts
from booking_service.bookings.read_booking import lock_owned
from booking_service.bookings.states import BookingState, state_of_coupons
from booking_service.bookings.store import add_timeline, publish, set_state
from booking_service.bookings.view import BookingView
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.disruptions.errors import NoDisruption
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from rihla.auth import Principal

_ACCEPT = text(
    "UPDATE disruption SET state = 'accepted', answered_at = :now "
    "WHERE booking_id = :id AND state = 'open' AND kind <> 'cancelled' RETURNING id"
)


async def accept_disruption(c: Container, principal: Principal, booking_id: UUID) -> bytes:
    """Keep the seats at the new time. The booking as JSON. Raises BookingNotFound and NoDisruption.

    A cancelled flight cannot be accepted: its traveller moves or takes the refund.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_owned(session, booking_id, principal)
        if view.state is not BookingState.DISRUPTED:
            raise NoDisruption("Nothing waits for your answer.")
        accepted = (await session.execute(_ACCEPT, {"id": booking_id, "now": now})).all()
        if not accepted:
            raise NoDisruption("A cancelled flight cannot be accepted: move to another one, or take the refund.")
        left = await session.execute(
            text("SELECT 1 FROM disruption WHERE booking_id = :id AND state = 'open'"), {"id": booking_id}
        )
        if left.first() is None:
            await set_state(session, view, after_disruption(view), now=now)
        await request_documents(session, booking_id, [DocumentKind.TICKET], now=now, cause="changed")
        await add_timeline(session, booking_id, "disruption_accepted", actor="traveller", now=now)
        view = await publish(session, booking_id, lambda seen: facts.changed(seen, now=now, kind="schedule"), now=now)
    return booking_json(view, now)


def after_disruption(view: BookingView) -> BookingState:
    """What the booking is again: confirmed, or partially cancelled."""
    state = state_of_coupons([coupon.state for coupon in view.coupons])
    return BookingState.CONFIRMED if state is BookingState.CANCELLED else state
