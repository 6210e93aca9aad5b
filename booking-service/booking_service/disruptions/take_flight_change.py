"""The airline changed a flight: bring the segments of its bookings up to date, and disrupt the bookings where it is
grave.

Runs in the inbox's transaction. A flight of 300 seats has up to 300 bookings; they are locked in sorted order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.read_booking import lock_booking
from booking_service.bookings.states import TRAVELLING, BookingState
from booking_service.bookings.store import add_timeline, publish, set_state
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from booking_service.disruptions.rules import Limits, answer_by, is_disruption
from rihla.kernel import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightChange:
    """What became of a flight. `sequence` is the flight's own counter: older news is ignored."""

    flight_id: UUID
    sequence: int
    kind: str
    departure_at: datetime
    arrival_at: datetime
    departure_was: datetime
    terminal: str | None
    gate: str | None
    delay_minutes: int


_STATUS = {"cancelled": "cancelled", "departed": "departed", "delayed": "delayed"}

_UPDATE = text(
    "UPDATE booking_segment SET departure_at = :departure_text, arrival_at = :arrival_text, departs = :departure, "
    "arrives = :arrival, terminal = :terminal, gate = :gate, delay_minutes = :delay, flight_sequence = :sequence, "
    "status = coalesce(:status, status) WHERE flight_id = :flight_id AND replaced_at IS NULL "
    "AND flight_sequence < :sequence RETURNING booking_id"
)
_TRIP = text(
    "UPDATE booking AS b SET trip_starts_at = t.starts, trip_ends_at = t.ends FROM ("
    "SELECT booking_id, min(departs) AS starts, max(arrives) AS ends FROM booking_segment "
    "WHERE booking_id = ANY(:ids) AND replaced_at IS NULL GROUP BY booking_id) t WHERE b.id = t.booking_id"
)
_FLOWN = text(
    "UPDATE coupon SET state = 'flown' WHERE flight_id = :flight_id AND state = 'checked_in' AND booking_id = ANY(:ids)"
)
_SUPERSEDE = text(
    "UPDATE disruption SET state = 'superseded' WHERE booking_id = :id AND flight_id = :flight_id AND state = 'open'"
)
_DISRUPT = text(
    "INSERT INTO disruption (id, booking_id, flight_id, kind, state, flight_sequence, departure_was, departure_is, "
    "delay_minutes, noticed_at, answer_by) VALUES (:disruption_id, :id, :flight_id, :kind, 'open', :sequence, :was, "
    ":is_now, :delay, :now, :answer_by)"
)


def limits_of(c: Container) -> Limits:
    """The limits as settings give them."""
    settings = c.settings
    return Limits(
        retimed=timedelta(minutes=settings.retimed_minutes),
        delayed=timedelta(minutes=settings.delayed_minutes),
        before_departure=timedelta(hours=settings.answer_hours_before),
        after_notice=timedelta(hours=settings.answer_hours_at_most),
    )


async def take_flight_change(session: AsyncSession, c: Container, change: FlightChange) -> int:
    """Apply the change inside the caller's transaction; how many bookings it disrupts. Older news changes nothing."""
    rows = await session.execute(
        _UPDATE,
        {
            "flight_id": change.flight_id,
            "sequence": change.sequence,
            "departure_text": change.departure_at.isoformat(),
            "arrival_text": change.arrival_at.isoformat(),
            "departure": change.departure_at,
            "arrival": change.arrival_at,
            "terminal": change.terminal,
            "gate": change.gate,
            "delay": change.delay_minutes,
            "status": _STATUS.get(change.kind),
        },
    )
    booking_ids = sorted(set(rows.scalars()))
    if not booking_ids:
        return 0
    await session.execute(_TRIP, {"ids": booking_ids})
    if change.kind == "departed":
        await session.execute(_FLOWN, {"flight_id": change.flight_id, "ids": booking_ids})
    moved = change.departure_at - change.departure_was
    delay = timedelta(minutes=change.delay_minutes)
    if not is_disruption(change.kind, moved=moved, delay=delay, limits=limits_of(c)) or change.kind not in {
        "cancelled",
        "retimed",
        "delayed",
    }:
        return 0
    return sum([await _disrupt(session, c, booking_id, change) for booking_id in booking_ids])


async def _disrupt(session: AsyncSession, c: Container, booking_id: UUID, change: FlightChange) -> bool:
    view = await lock_booking(session, booking_id)
    if view is None or view.state not in TRAVELLING or not _flies(view, change.flight_id):
        return False
    now = c.clock.now()
    # A flight moved to an earlier hour leaves before the hour it was to leave at.
    due = answer_by(min(change.departure_was, change.departure_at), now, limits_of(c))
    await session.execute(_SUPERSEDE, {"id": booking_id, "flight_id": change.flight_id})
    await session.execute(
        _DISRUPT,
        {
            "disruption_id": new_id(),
            "id": booking_id,
            "flight_id": change.flight_id,
            "kind": change.kind,
            "sequence": change.sequence,
            "was": change.departure_was.isoformat(),
            "is_now": None if change.kind == "cancelled" else change.departure_at.isoformat(),
            "delay": change.delay_minutes,
            "now": now,
            "answer_by": due,
        },
    )
    if view.state is not BookingState.DISRUPTED:
        await session.execute(
            text("UPDATE booking SET state_before_disruption = state WHERE id = :id"), {"id": booking_id}
        )
    await set_state(session, view, BookingState.DISRUPTED, now=now)
    await add_timeline(
        session, booking_id, "disrupted", actor="airline", now=now, flight_id=change.flight_id, kind_of=change.kind
    )
    await publish(
        session,
        booking_id,
        lambda seen: facts.disrupted(seen, now=now, flight_id=change.flight_id, kind=change.kind, answer_by=due),
        now=now,
    )
    return True


def _flies(view: BookingView, flight_id: UUID) -> bool:
    return any(coupon.flight_id == flight_id and coupon.live for coupon in view.coupons)
