"""The charge of a booking that may be paid now. One statement on the bare driver: every payment asks (ADR 0005)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from booking_service.bookings.errors import BookingNotFound, ChargeNotDue
from booking_service.bookings.states import PUBLIC_STATES, TRAVELLING, BookingState, ChargeState
from booking_service.bootstrap import Container

_PAYABLE = TRAVELLING | {BookingState.PENDING_PAYMENT}
_CHARGES: Final = """
SELECT b.reference, b.state, h.id, h.kind, h.amount_minor, h.currency, h.state AS status, h.payable_until
FROM booking b JOIN charge h ON h.booking_id = b.id
WHERE b.id = $1 AND b.user_id = $2 AND b.total_minor IS NOT NULL ORDER BY h.created_at, h.id"""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be paid, in minor units, and the booking it belongs to."""

    booking_id: UUID
    charge_id: UUID
    user_id: UUID
    reference: str
    kind: str
    amount_minor: int
    currency: str
    status: str
    payable_until: datetime


async def charge_due(c: Container, booking_id: UUID, user_id: UUID, charge_id: UUID | None) -> Charge:
    """The charge. Raises BookingNotFound (somebody else's too) and ChargeNotDue."""
    rows = await (await c.db.asyncpg_pool()).fetch(_CHARGES, booking_id, user_id)
    if not rows or rows[0]["state"] not in PUBLIC_STATES:
        raise BookingNotFound("There is no such booking.")
    wanted = [row for row in rows if charge_id in (None, row["id"])]
    if not wanted:
        raise BookingNotFound("This booking has no such charge.")
    due = [row for row in wanted if row["status"] == ChargeState.DUE and row["amount_minor"] > 0]
    if not due or due[0]["state"] not in _PAYABLE:
        raise ChargeNotDue("Nothing is due: the charge is paid or void.", charge_status=wanted[0]["status"])
    found = due[0]
    if found["payable_until"] <= c.clock.now():
        raise ChargeNotDue("The time to pay is over.", charge_status=found["status"])
    return Charge(
        booking_id, found["id"], user_id, found["reference"], found["kind"], found["amount_minor"], found["currency"],
        found["status"], found["payable_until"],
    )  # fmt: skip
