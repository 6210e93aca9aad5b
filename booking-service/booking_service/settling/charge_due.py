"""The charge of a booking that may be paid now."""

from uuid import UUID

from booking_service.bookings.errors import BookingNotFound, ChargeNotDue
from booking_service.bookings.read_booking import load_booking
from booking_service.bookings.states import PUBLIC_STATES, TRAVELLING, BookingState, ChargeState
from booking_service.bookings.view import BookingView, ChargeView
from booking_service.bootstrap import Container

_PAYABLE = TRAVELLING | {BookingState.PENDING_PAYMENT}


async def charge_due(
    c: Container, booking_id: UUID, user_id: UUID, charge_id: UUID | None
) -> tuple[BookingView, ChargeView]:
    """The booking and its charge. Raises BookingNotFound (somebody else's too) and ChargeNotDue."""
    async with c.db.transaction() as session:
        view = await load_booking(session, booking_id)
    if view is None or view.user_id != user_id or view.state not in PUBLIC_STATES:
        raise BookingNotFound("There is no such booking.")
    wanted = [one for one in view.charges if charge_id in (None, one.id)]
    if not wanted:
        raise BookingNotFound("This booking has no such charge.")
    due = [one for one in wanted if one.state is ChargeState.DUE and one.amount_minor > 0]
    if not due or view.state not in _PAYABLE:
        raise ChargeNotDue("Nothing is due: the charge is paid or void.", charge_status=wanted[0].status)
    if due[0].payable_until <= c.clock.now():
        raise ChargeNotDue("The time to pay is over.", charge_status=due[0].status)
    return view, due[0]
