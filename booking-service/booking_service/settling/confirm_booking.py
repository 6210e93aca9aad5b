"""Confirm a paid booking: sell its hold at flight-service, then store everything that makes it a ticket.

Runs as an errand: started by the process that accepted the payment right after its commit, repeated by any worker until
flight-service has answered. A payment that can be honoured no more is given back in full.
"""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.errands import Errand, run_errand, take_of_booking
from booking_service.bookings.errors import HoldLost, NotEnoughSeats, SeatTaken
from booking_service.bookings.hold import Hold
from booking_service.bookings.read_booking import load_booking, lock_booking
from booking_service.bookings.reference import e_ticket_number
from booking_service.bookings.states import BookingState, CouponState
from booking_service.bookings.store import (
    add_errand,
    add_timeline,
    finish_errand,
    publish,
    request_refund,
    set_coupons,
    set_seats,
    set_state,
    set_step,
    step_of,
)
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from booking_service.documents.rush import promised
from booking_service.settling.expire_bookings import void_unpaid
from booking_service.settling.release_errands import release_hold
from rihla.telemetry import Counter, Histogram

CONFIRMED = Counter("rihla_bookings_confirmed_total", "Bookings confirmed", ["late"])
CONFIRM_SECONDS = Histogram(
    "rihla_booking_confirm_seconds", "From payment accepted to confirmed", buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30)
)
GONE = (HoldLost, NotEnoughSeats, SeatTaken)
_REINSTATED_FOR = timedelta(minutes=5)


async def confirm_now(c: Container, booking_id: UUID) -> None:
    """Make the confirming call of this booking in this process now; what does not succeed stays an errand."""
    async with c.db.transaction() as session:
        errands = await take_of_booking(session, c, booking_id, "confirm_hold")
    for errand in errands:
        await run_errand(c, confirm_hold, errand)


async def confirm_hold(c: Container, errand: Errand) -> None:
    """The errand `confirm_hold`: a payment that came in time. A hold that was lost meanwhile is taken again if seats
    are free.
    """
    await _confirm(c, errand, late=False)


async def reinstate_hold(c: Container, errand: Errand) -> None:
    """The errand `reinstate_hold`: a payment after expiry, at the locked price if seats are still free."""
    await _confirm(c, errand, late=True)


async def _confirm(c: Container, errand: Errand, *, late: bool) -> None:
    async with c.db.transaction() as session:
        view = await load_booking(session, errand.booking_id)
        step = await step_of(session, errand.booking_id)
    if view is None or step != "confirming":
        await _drop(c, errand)
        return
    if late:
        await release_first(c, view.id)
    try:
        hold = await sell(c, view, late=late)
    except GONE as gone:
        await _cannot_honour(c, errand, type(gone).__name__)
        return
    await _store_confirmed(c, errand, hold, late=late)


async def sell(c: Container, view: BookingView, *, late: bool) -> Hold:
    """Sell the booking's hold; one that is lost, or released for being `late`, is taken again first. GONE when others
    have the seats.
    """
    until = c.clock.now() + _REINSTATED_FOR
    if late:
        await c.flights.reinstate(view.hold_id, until)
        return await c.flights.confirm(view.hold_id)
    try:
        return await c.flights.confirm(view.hold_id)
    except HoldLost:
        await c.flights.reinstate(view.hold_id, until)
        return await c.flights.confirm(view.hold_id)


class ReleaseUnderWay(Exception):
    """The expired booking's hold is being released by another worker: honour the payment after that."""


async def release_first(c: Container, booking_id: UUID) -> None:
    """A release that is still to be made would free what we are about to sell: it goes first."""
    async with c.db.transaction() as session:
        errands = await take_of_booking(session, c, booking_id, "release_hold")
    for errand in errands:
        await run_errand(c, release_hold, errand)
    async with c.db.transaction() as session:
        waiting = await session.execute(
            text("SELECT 1 FROM errand WHERE booking_id = :id AND kind = 'release_hold'"), {"id": booking_id}
        )
        if waiting.first() is not None:
            raise ReleaseUnderWay


async def _drop(c: Container, errand: Errand) -> None:
    async with c.db.transaction() as session:
        await finish_errand(session, errand.id)


async def _store_confirmed(c: Container, errand: Errand, hold: Hold, *, late: bool) -> None:
    now, papers_due = c.clock.now(), await c.rush.papers_due()
    async with c.db.transaction() as session:
        view = await lock_booking(session, errand.booking_id)
        if view is None or await step_of(session, errand.booking_id) != "confirming":
            await finish_errand(session, errand.id)
            return
        await mark_confirmed(session, view, hold, late=late, now=now, papers_due=papers_due)
        await finish_errand(session, errand.id)
    if paid_at := view.initial_charge.paid_at:
        CONFIRM_SECONDS.observe((now - paid_at).total_seconds())


async def mark_confirmed(
    session: AsyncSession, view: BookingView, hold: Hold, *, late: bool, now: datetime, papers_due: datetime
) -> None:
    """Everything that makes a locked booking, whose hold is sold, a ticket: in the caller's transaction."""
    await set_state(session, view, BookingState.CONFIRMED, now=now)
    if late:
        await set_coupons(session, [coupon.id for coupon in view.coupons], CouponState.OPEN)
    await set_seats(session, view.id, {(s.passenger_id, s.flight_id): s.designator for s in hold.seats})
    await issue_tickets(session, view, now=now)
    await session.execute(
        text("UPDATE booking SET notes = CAST(:notes AS jsonb) WHERE id = :id"),
        {"id": view.id, "notes": json.dumps(hold.notes)},
    )
    await add_timeline(session, view.id, "confirmed", actor="system", now=now, late=late)
    if view.promo_code:
        await add_errand(session, view.id, "consume_promo", now=now)
    if view.subscription_id and view.seat_plan_id is None:
        await add_errand(session, view.id, "consume_rides", now=now)
    papers = [DocumentKind.TICKET, DocumentKind.RECEIPT]
    await request_documents(session, view.id, papers, now=now, due_at=papers_due)
    wait = promised(papers_due, now)
    await publish(session, view.id, lambda seen: facts.confirmed(seen, now=now, late=late, documents_by=wait), now=now)
    CONFIRMED.labels(str(late).lower()).inc()


async def issue_tickets(session: AsyncSession, view: BookingView, *, now: datetime) -> None:
    """Give each passenger one e-ticket number for each airline of the itinerary, and write it on the coupons.

    The passenger's own number is that of the first airline. A passenger who has a number keeps it.
    """
    codes = list(dict.fromkeys(segment.accounting_code for segment in view.segments))
    wanted = [(passenger.id, code) for passenger in view.passengers for code in codes]
    serials = await session.execute(
        text("SELECT nextval('e_ticket_serial') FROM generate_series(1, :count)"), {"count": len(wanted)}
    )
    numbers = [e_ticket_number(code, int(serial)) for (_, code), serial in zip(wanted, serials.scalars(), strict=True)]
    values: dict[str, Any] = {
        "id": view.id,
        "now": now,
        "numbers": numbers,
        "passengers": [passenger_id for passenger_id, _ in wanted],
        "codes": [code for _, code in wanted],
        "first": codes[0],
    }
    await session.execute(_ISSUE, values)
    await session.execute(_ON_COUPONS, values)
    await session.execute(_ON_PASSENGERS, values)


_ISSUE = text(
    "INSERT INTO ticket (number, booking_id, passenger_id, accounting_code, issued_at) "
    "SELECT t.number, :id, t.passenger_id, t.code, :now FROM unnest(CAST(:numbers AS text[]), "
    "CAST(:passengers AS uuid[]), CAST(:codes AS text[])) AS t(number, passenger_id, code) "
    "ON CONFLICT (passenger_id, accounting_code) DO NOTHING"
)
_ON_COUPONS = text(
    "UPDATE coupon AS c SET e_ticket_number = t.number FROM ticket t, booking_segment g "
    "WHERE c.booking_id = :id AND t.passenger_id = c.passenger_id AND g.id = c.segment_id "
    "AND g.accounting_code = t.accounting_code AND c.e_ticket_number IS NULL"
)
_ON_PASSENGERS = text(
    "UPDATE passenger AS p SET e_ticket_number = t.number FROM ticket t "
    "WHERE p.booking_id = :id AND t.passenger_id = p.id AND t.accounting_code = :first AND p.e_ticket_number IS NULL"
)


async def _cannot_honour(c: Container, errand: Errand, reason: str) -> None:
    """The seats are gone: the whole payment goes back, and the traveller is told by the booking's expiry and the
    refund.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_booking(session, errand.booking_id)
        if view is None or await step_of(session, errand.booking_id) != "confirming":
            await finish_errand(session, errand.id)
            return
        charge = view.initial_charge
        if view.state is BookingState.PENDING_PAYMENT:
            await void_unpaid(session, view, BookingState.EXPIRED, now=now)
            await publish(session, view.id, lambda seen: facts.expired(seen, now=now), now=now)
        else:
            await set_step(session, view.id, None)
        if charge.amount_minor:
            await request_refund(
                session,
                booking_id=view.id,
                charge_id=charge.id,
                amount_minor=charge.amount_minor,
                currency=charge.currency,
                reason="late_payment",
                now=now,
            )
        await add_timeline(session, view.id, "payment_not_honoured", actor="system", now=now, reason=reason)
        await finish_errand(session, errand.id)
