"""The charge of a booking that may be paid now. One statement on the bare driver: every payment asks (ADR 0005)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from booking_service.bookings.errors import BookingNotFound, ChargeNotDue
from booking_service.bookings.states import PUBLIC_STATES, TRAVELLING, BookingState, ChargeState
from booking_service.bootstrap import Container

_PAYABLE = TRAVELLING | {BookingState.PENDING_PAYMENT}
_CHARGES: Final = """
SELECT b.id AS booking_id, b.user_id, b.reference, b.state,
  h.id, h.kind, h.amount_minor, h.currency, h.state AS status, h.payable_until
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A person's booking, and which of its charges; None: the oldest that is due."""

    booking_id: UUID
    user_id: UUID
    charge_id: UUID | None = None


async def charge_due(c: Container, asked: Asked) -> Charge:
    """The charge. Raises BookingNotFound (somebody else's too) and ChargeNotDue."""
    rows = await (await c.db.asyncpg_pool()).fetch(_CHARGES, asked.booking_id, asked.user_id)
    return _due(asked, rows, c.clock.now())


async def charges_due(c: Container, asked: Sequence[Asked]) -> list[Charge | None]:
    """Many at once, in order; None for whatever `charge_due` would refuse."""
    pairs = sorted({(one.booking_id, one.user_id) for one in asked})
    found: dict[tuple[UUID, UUID], list[Mapping[str, Any]]] = {pair: [] for pair in pairs}
    for row in await (await c.db.asyncpg_pool()).fetchmany(_CHARGES, pairs):
        found[row["booking_id"], row["user_id"]].append(row)
    now, answers = c.clock.now(), list[Charge | None]()
    for one in asked:
        try:
            answers.append(_due(one, found[one.booking_id, one.user_id], now))
        except (BookingNotFound, ChargeNotDue):
            answers.append(None)
    return answers


def _due(asked: Asked, rows: Sequence[Mapping[str, Any]], now: datetime) -> Charge:
    if not rows or rows[0]["state"] not in PUBLIC_STATES:
        raise BookingNotFound("There is no such booking.")
    wanted = [row for row in rows if asked.charge_id in (None, row["id"])]
    if not wanted:
        raise BookingNotFound("This booking has no such charge.")
    due = [row for row in wanted if row["status"] == ChargeState.DUE and row["amount_minor"] > 0]
    if not due or due[0]["state"] not in _PAYABLE:
        raise ChargeNotDue("Nothing is due: the charge is paid or void.", charge_status=wanted[0]["status"])
    found = due[0]
    if found["payable_until"] <= now:
        raise ChargeNotDue("The time to pay is over.", charge_status=found["status"])
    return Charge(
        asked.booking_id, found["id"], asked.user_id, found["reference"], found["kind"], found["amount_minor"],
        found["currency"], found["status"], found["payable_until"],
    )  # fmt: skip
