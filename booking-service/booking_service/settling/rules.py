"""What becomes of a payment that succeeded: a pure decision (api.md, "Late payment" and "States")."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from booking_service.bookings.states import BookingState, ChargeState
from booking_service.bookings.view import BookingView, ChargeView


class Outcome(StrEnum):
    """Exactly one of these for each payment."""

    CONFIRM = "confirm"
    """In time: sell what is held."""
    REINSTATE = "reinstate"
    """After expiry: hold again at the locked price, or give everything back."""
    APPLY = "apply"
    """A further charge (extras, a change) of a booking that is alive."""
    REFUND_LATE = "refund_late"
    """The booking or the charge is over: everything goes back."""
    REFUND_WRONG = "refund_wrong"
    """Another amount or currency than was asked for."""
    REFUND_SECOND = "refund_second"
    """The charge is paid by another payment already."""
    KNOWN = "known"
    """This payment has paid this charge before."""


REFUND_REASONS: dict[Outcome, str] = {
    Outcome.REFUND_LATE: "late_payment",
    Outcome.REFUND_WRONG: "superseded",
    Outcome.REFUND_SECOND: "superseded",
}


@dataclass(frozen=True, slots=True)
class Paid:
    """The facts of a payment that succeeded. Minor units."""

    payment_id: UUID
    charge_id: UUID
    amount_minor: int
    currency: str
    method: str = "card"


def decide(view: BookingView, charge: ChargeView, paid: Paid) -> Outcome:
    """What to do with this payment, the booking and charge standing as they are."""
    if charge.payment_id == paid.payment_id:
        return Outcome.KNOWN
    if charge.state in {ChargeState.PAID, ChargeState.REFUNDED}:
        return Outcome.REFUND_SECOND
    if (paid.amount_minor, paid.currency) != (charge.amount_minor, charge.currency):
        return Outcome.REFUND_WRONG
    if charge.kind != "initial":
        alive = view.state in {BookingState.CONFIRMED, BookingState.PARTIALLY_CANCELLED, BookingState.DISRUPTED}
        return Outcome.APPLY if alive and charge.state is ChargeState.DUE else Outcome.REFUND_LATE
    if view.state is BookingState.PENDING_PAYMENT:
        return Outcome.CONFIRM
    return Outcome.REINSTATE if view.state is BookingState.EXPIRED else Outcome.REFUND_LATE
