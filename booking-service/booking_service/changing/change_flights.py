"""Change a slice to the quoted flight: new seats are held before old ones are freed.

First the key and the change with its hold's id, then the hold, then the charge (or, when nothing is due, the errand
that
sells the new hold). A crash between leaves a change in `holding`, which the sweeper ends by releasing the hold.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.errands import run_errand, take_of_booking
from booking_service.bookings.errors import HoldLost, StepUnderWay
from booking_service.bookings.read_booking import load_booking, lock_owned
from booking_service.bookings.store import add_errand, add_timeline
from booking_service.bookings.view import BookingView
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.cancelling.errors import QuoteExpired, QuoteNotFound, QuoteOutdated
from booking_service.changing.confirm_change import confirm_change
from booking_service.changing.quote_change import changeable_slice
from booking_service.changing.store import add_charge
from booking_service.problems import PROBLEMS
from rihla.auth import Principal, require_step_up
from rihla.db.idempotency import Replay, RequestInProgress
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError, new_id
from rihla.web.idempotency import IdempotentRequest

_BEGIN = text(
    "INSERT INTO booking_change (id, booking_id, kind, quote_id, hold_id, state, payable_until, created_at) "
    "VALUES (:id, :booking_id, 'flights', :quote_id, :hold_id, 'holding', :until, :now)"
)
_FIND = text("SELECT hold_id, payable_until, state FROM booking_change WHERE id = :id")
_QUOTE = text("SELECT * FROM change_quote WHERE id = :id AND booking_id = :booking_id")
_REFUSE = text("UPDATE booking_change SET state = 'refused' WHERE id = :id AND state = 'holding' RETURNING booking_id")
_HELD = text(
    "UPDATE booking_change SET state = :state, charge_id = :charge_id, lines = CAST(:lines AS jsonb) "
    "WHERE id = :id AND state = 'holding' RETURNING id"
)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the first transaction fixed."""

    change_id: UUID
    hold_id: UUID
    until: datetime
    quote: Any
    state: str


async def change_flights(
    c: Container, principal: Principal, booking_id: UUID, quote_id: UUID, idem: IdempotentRequest
) -> bytes | Replay:
    """The booking as JSON: with a charge to pay, or changed already when nothing is due.

    Raises BookingNotFound, QuoteNotFound, QuoteExpired, QuoteOutdated, StepUnderWay, NotChangeable, what
    flight-service refuses,
    StepUpRequired (403, where money comes back), and UpstreamUnavailable (503: repeat with the same key).
    """
    now = c.clock.now()
    try:
        async with c.db.transaction() as session:
            began = await idem.begin(session, resource_id=new_id(), now=now)
            if isinstance(began, Replay):
                return began
            begun = await _begin(session, c, principal, booking_id, quote_id, began.resource_id, now=now)
        if begun.state == "holding":
            await _hold(c, booking_id, begun, now=now)
    except UpstreamUnavailable:
        raise
    except DomainError as refusal:
        await idem.finish_with_error(c.db, refusal, PROBLEMS)
        raise
    async with c.db.transaction() as session:
        after = await load_booking(session, booking_id)
        assert after is not None
        body = booking_json(after, c.clock.now())
        await idem.finish(session, status=201, body=body)
    return body


async def _begin(
    session: AsyncSession,
    c: Container,
    principal: Principal,
    booking_id: UUID,
    quote_id: UUID,
    change_id: UUID,
    *,
    now: datetime,
) -> _Begun:
    view = await lock_owned(session, booking_id, principal)
    quote = (await session.execute(_QUOTE, {"id": quote_id, "booking_id": booking_id})).one_or_none()
    if quote is None:
        raise QuoteNotFound("This booking has no such quote.")
    known = (await session.execute(_FIND, {"id": change_id})).one_or_none()
    if known is not None:
        if known.state == "refused":
            raise QuoteOutdated("This change could not be made; ask for a new quote.")
        return _Begun(change_id, known.hold_id, known.payable_until, quote, known.state)
    _check_quote(view, quote, now)
    if quote.refund_minor > 0:
        require_step_up(principal, now=now, within=c.settings.step_up_window)
    until, hold_id = now + c.settings.payment_window, new_id()
    values = {"id": change_id, "booking_id": booking_id, "quote_id": quote_id, "hold_id": hold_id}
    try:
        async with session.begin_nested():
            await session.execute(_BEGIN, {**values, "until": until, "now": now})
    except IntegrityError as taken:
        raise StepUnderWay("A change of this booking is under way, or this quote was used.") from taken
    return _Begun(change_id, hold_id, until, quote, "holding")


def _check_quote(view: BookingView, quote: Any, now: datetime) -> None:
    if quote.expires_at <= now:
        raise QuoteExpired("This quote has expired; ask for a new one.")
    if quote.booking_version != view.version:
        raise QuoteOutdated("The booking has changed since this quote; ask for a new one.")
    changeable_slice(view, UUID(quote.slice_ids[0]), now=now, involuntary=quote.involuntary)


async def _hold(c: Container, booking_id: UUID, begun: _Begun, *, now: datetime) -> None:
    """Hold the new seats, then charge, or sell at once when nothing is due."""
    quote = begun.quote
    try:
        hold = await c.flights.put_hold(begun.hold_id, quote.offer_id, begun.until + c.settings.hold_grace, quote.lines)
        if hold.total_minor != quote.new_minor:
            raise HoldLost("The price of the new flight has moved; ask for a new quote.")
    except UpstreamUnavailable:
        raise
    except DomainError:
        await end_change(c, begun.change_id, begun.hold_id, now=now)
        raise
    lines = json.dumps({"slice_id": quote.slice_ids[0], "fee_minor": quote.fee_minor})
    async with c.db.transaction() as session:
        view = await load_booking(session, booking_id)
        assert view is not None
        charge_id = new_id() if quote.due_minor else None
        state = "awaiting_payment" if quote.due_minor else "confirming"
        values = {"id": begun.change_id, "state": state, "charge_id": charge_id, "lines": lines}
        if (await session.execute(_HELD, values)).first() is None:
            raise RequestInProgress("Another try of this request is being finished; ask again shortly.")
        if charge_id is not None:
            await add_charge(session, charge_id, view, "change", quote.due_minor, until=begun.until, now=now)
        else:
            await add_errand(session, booking_id, "confirm_change", now=now, change_id=begun.change_id)
        await add_timeline(session, booking_id, "change_held", actor="traveller", now=now, due_minor=quote.due_minor)
    if charge_id is None:
        async with c.db.transaction() as session:
            errands = await take_of_booking(session, c, booking_id, "confirm_change")
        for errand in errands:
            await run_errand(c, confirm_change, errand)


async def end_change(c: Container, change_id: UUID, hold_id: UUID, *, now: datetime) -> None:
    """The change is not made: whatever was or will be held under its id is released."""
    async with c.db.transaction() as session:
        ended = (await session.execute(_REFUSE, {"id": change_id})).one_or_none()
        if ended is not None:
            await add_errand(session, ended.booking_id, "release_hold", now=now, hold_id=hold_id)
