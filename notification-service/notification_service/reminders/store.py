"""Which reminders are due and have not been given. The unique fact of a notice is what makes each one once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.reminders.rules import (
    PAPERS_AHEAD,
    PAYMENT_AHEAD,
    UNFINISHED_AFTER,
    UNFINISHED_UNTIL,
    Window,
)

MOST = 200
"""Reminders of a kind given in one transaction."""
_FLIGHTS = text(
    "SELECT t.booking_id, t.facts, f.flight_id, f.departs_at, n.gate, n.terminal FROM trip_flight f "
    "JOIN trip t ON t.booking_id = f.booking_id LEFT JOIN flight_news n ON n.flight_id = f.flight_id "
    "WHERE f.departs_at > :nearest AND f.departs_at <= :farthest AND NOT f.departed "
    "AND t.status IN ('confirmed', 'partially_cancelled', 'disrupted') "
    "AND NOT EXISTS (SELECT 1 FROM reminder_given g WHERE g.kind = :kind AND g.booking_id = t.booking_id "
    "AND g.flight_id = f.flight_id) "
    "AND (CAST(:after AS text) IS NULL OR EXISTS (SELECT 1 FROM reminder_given e WHERE e.kind = :after "
    "AND e.booking_id = t.booking_id AND e.flight_id = f.flight_id AND e.given_at <= :earlier)) "
    "ORDER BY f.departs_at LIMIT :most"
)
_PAYMENTS = text(
    "SELECT t.booking_id, t.facts FROM trip t WHERE t.status = 'pending_payment' "
    "AND t.payment_required_by > :now AND t.payment_required_by <= :until "
    "AND NOT EXISTS (SELECT 1 FROM reminder_given g WHERE g.kind = 'reminder_payment' AND g.booking_id = t.booking_id) "
    "ORDER BY t.payment_required_by LIMIT :most"
)
_PAPERS = (
    "SELECT t.booking_id, t.facts FROM trip t "
    "WHERE t.{which} AND t.status IN ('confirmed', 'partially_cancelled', 'disrupted') "
    "AND EXISTS (SELECT 1 FROM trip_flight f WHERE f.booking_id = t.booking_id "
    "AND f.departs_at > :now AND f.departs_at <= :until AND NOT f.departed) "
    "AND NOT EXISTS (SELECT 1 FROM reminder_given g WHERE g.kind = '{kind}' AND g.booking_id = t.booking_id) "
    "LIMIT :most"
)
_PASSPORTS = text(_PAPERS.format(kind="reminder_passport", which="short_passport"))
_VISAS = text(_PAPERS.format(kind="reminder_visa", which="short_visa"))
# Whoever has booked, or is about to, needs no asking.
_UNFINISHED = text(
    "SELECT t.booking_id, t.facts FROM trip t WHERE t.status = 'expired' "
    "AND t.payment_required_by > :oldest AND t.payment_required_by <= :newest AND t.ends_at > :now "
    "AND NOT EXISTS (SELECT 1 FROM trip o WHERE o.user_id = t.user_id AND o.booking_id > t.booking_id) "
    "AND NOT EXISTS (SELECT 1 FROM reminder_given g WHERE g.kind = 'reminder_unfinished' "
    "AND g.booking_id = t.booking_id) "
    "ORDER BY t.payment_required_by LIMIT :most"
)
_GIVE = text(
    "INSERT INTO reminder_given (kind, booking_id, flight_id, given_at) "
    "SELECT :kind, g.booking_id, g.flight_id, :now "
    "FROM unnest(CAST(:bookings AS uuid[]), CAST(:flights AS uuid[])) AS g (booking_id, flight_id) ORDER BY 2, 3 "
    "ON CONFLICT DO NOTHING RETURNING booking_id, flight_id"
)


async def due_flights(session: AsyncSession, window: Window, now: datetime) -> list[Row[Any]]:
    """Flights of live bookings inside the window that this reminder was not given for."""
    nearest, farthest = window.bounds(now)
    values = {
        "nearest": nearest,
        "farthest": farthest,
        "kind": window.kind,
        "after": window.after,
        "earlier": now - window.apart,
        "most": MOST,
    }
    return list((await session.execute(_FLIGHTS, values)).all())


async def due_payments(session: AsyncSession, now: datetime) -> list[Row[Any]]:
    """Bookings whose hold ends soon and that were not reminded of."""
    return list((await session.execute(_PAYMENTS, {"now": now, "until": now + PAYMENT_AHEAD, "most": MOST})).all())


async def due_passports(session: AsyncSession, now: datetime) -> list[Row[Any]]:
    """Bookings that leave soon with a passport that ends too soon."""
    return list((await session.execute(_PASSPORTS, {"now": now, "until": now + PAPERS_AHEAD, "most": MOST})).all())


async def due_visas(session: AsyncSession, now: datetime) -> list[Row[Any]]:
    """Bookings that leave soon with a visa that ends before them."""
    return list((await session.execute(_VISAS, {"now": now, "until": now + PAPERS_AHEAD, "most": MOST})).all())


async def due_unfinished(session: AsyncSession, now: datetime) -> list[Row[Any]]:
    """Bookings that lapsed unpaid a while ago, whose traveller has not booked again."""
    values = {"oldest": now - UNFINISHED_UNTIL, "newest": now - UNFINISHED_AFTER, "now": now, "most": MOST}
    return list((await session.execute(_UNFINISHED, values)).all())


async def give(
    session: AsyncSession, kind: str, about: Sequence[tuple[UUID, UUID]], now: datetime
) -> set[tuple[UUID, UUID]]:
    """Take reminders of (booking, flight) for this transaction; those that no other worker has. One that is not about a
    flight names the booking twice.
    """
    if not about:
        return set()
    values = {"kind": kind, "bookings": [one for one, _ in about], "flights": [one for _, one in about], "now": now}
    return {(row.booking_id, row.flight_id) for row in await session.execute(_GIVE, values)}
