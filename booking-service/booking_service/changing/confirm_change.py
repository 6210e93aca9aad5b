"""Finish a change that is paid for (or costs nothing): extras are written down, flights are sold and swapped.

Runs as the errand `confirm_change`, named by its charge or by its change. What can be honoured no more is refunded in
full.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.errands import Errand
from booking_service.bookings.errors import HoldLost, NotEnoughSeats, SeatTaken
from booking_service.bookings.hold import HeldLine, Hold
from booking_service.bookings.read_booking import load_booking, lock_booking
from booking_service.bookings.states import LIVE_COUPONS, TRAVELLING, BookingState, CouponState
from booking_service.bookings.store import (
    add_errand,
    add_timeline,
    bump_version,
    finish_errand,
    publish,
    request_refund,
    set_coupons,
    set_seats,
    set_state,
)
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from booking_service.changing.swap_slice import swap_slice
from booking_service.disruptions.answer_disruption import after_disruption
from booking_service.disruptions.store import close_disruptions
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from booking_service.settling.confirm_booking import issue_tickets
from rihla.kernel import new_id

_BY_CHARGE = text("SELECT * FROM booking_change WHERE charge_id = :id")
_BY_ID = text("SELECT * FROM booking_change WHERE id = :id")
_QUOTE = text("SELECT * FROM change_quote WHERE id = :id")
_DONE = text(
    "UPDATE booking_change SET state = :state, done_at = :now WHERE id = :id "
    "AND state IN ('awaiting_payment', 'confirming', 'expired') RETURNING id"
)
_GONE = (HoldLost, NotEnoughSeats, SeatTaken)


async def confirm_change(c: Container, errand: Errand) -> None:
    """The errand. Raises UpstreamUnavailable to be tried again."""
    async with c.db.transaction() as session:
        change = await _find(session, errand)
        view = await load_booking(session, errand.booking_id)
    if change is None or view is None or change.state in {"done", "refused"}:
        async with c.db.transaction() as session:
            await finish_errand(session, errand.id)
        return
    try:
        if view.state not in TRAVELLING:
            raise HoldLost("the booking is over")
        if change.kind == "extras":
            await _apply_extras(c, errand, change, await _move_bought_seats(c, view, change))
        else:
            await _apply_flights(c, errand, change, await c.flights.confirm(change.hold_id))
    except _GONE as gone:
        await _give_back(c, errand, change, type(gone).__name__)


async def _find(session: AsyncSession, errand: Errand) -> Any:
    if "change_id" in errand.payload:
        return (await session.execute(_BY_ID, {"id": errand.uuid("change_id")})).one_or_none()
    return (await session.execute(_BY_CHARGE, {"id": errand.uuid("charge_id")})).one_or_none()


async def _move_bought_seats(c: Container, view: BookingView, change: Any) -> dict[tuple[UUID, UUID], str]:
    holds = {segment.flight_id: one.hold_id for one in view.slices for segment in one.segments}
    by_hold: dict[UUID, list[tuple[UUID, UUID, str]]] = {}
    for passenger_id, flight_id, designator in change.lines.get("seats", ()):
        item = (UUID(passenger_id), UUID(flight_id), designator)
        by_hold.setdefault(holds[item[1]], []).append(item)
    seats: dict[tuple[UUID, UUID], str] = {}
    for hold_id, items in by_hold.items():
        hold = await c.flights.move_seats(hold_id, items)
        seats |= {(one.passenger_id, one.flight_id): one.designator for one in hold.seats}
    return seats


_ADD_LINES = text(
    "INSERT INTO price_line (id, booking_id, charge_id, passenger_id, segment_id, flight_id, kind, code, name, "
    "amount_minor, refund_class) VALUES (:id, :booking_id, :charge_id, :passenger_id, :segment_id, :flight_id, :kind, "
    ":code, :name, :amount_minor, :refund_class)"
)
_ADD_BAGS = text("UPDATE passenger SET extra_bags = extra_bags + :bags WHERE id = :id")
_TOTAL = text(
    "UPDATE booking SET total_minor = (SELECT coalesce(sum(amount_minor), 0) FROM price_line "
    "WHERE booking_id = :id AND superseded_by IS NULL) WHERE id = :id"
)


async def _apply_extras(c: Container, errand: Errand, change: Any, seats: dict[tuple[UUID, UUID], str]) -> None:
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_booking(session, errand.booking_id)
        done = await session.execute(_DONE, {"id": change.id, "state": "done", "now": now})
        if view is None or done.first() is None:
            await finish_errand(session, errand.id)
            return
        segment_of = {segment.flight_id: segment.id for segment in view.segments}
        for line in msgspec.convert(change.lines["lines"], list[HeldLine]):
            await session.execute(
                _ADD_LINES,
                {
                    **{name: getattr(line, name) for name in HeldLine.__dataclass_fields__},
                    "id": new_id(),
                    "booking_id": view.id,
                    "charge_id": change.charge_id,
                    "segment_id": segment_of[line.flight_id],
                },
            )
        for passenger_id, bags in change.lines.get("bags", {}).items():
            await session.execute(_ADD_BAGS, {"id": UUID(passenger_id), "bags": bags})
        await set_seats(session, view.id, seats)
        await _finish(session, view, errand, "extras", now=now)


async def _apply_flights(c: Container, errand: Errand, change: Any, hold: Hold) -> None:
    """Swap the slice: its coupons are void, new ones stand in their place; the old seats are freed by an errand."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_booking(session, errand.booking_id)
        done = await session.execute(_DONE, {"id": change.id, "state": "done", "now": now})
        if view is None or done.first() is None:
            await finish_errand(session, errand.id)
            return
        quote = (await session.execute(_QUOTE, {"id": change.quote_id})).one()
        one = next(one for one in view.slices if one.id == UUID(quote.slice_ids[0]))
        leaving = [coupon for coupon in view.coupons if coupon.slice_id == one.id and coupon.state in LIVE_COUPONS]
        items = [(str(coupon.passenger_id), str(coupon.flight_id)) for coupon in leaving]
        await close_disruptions(session, view, leaving, "moved", now=now)
        await set_coupons(session, [coupon.id for coupon in leaving], CouponState.VOID)
        leftover = await swap_slice(session, view, one, hold, change, quote, now=now)
        await add_errand(session, view.id, "release_hold", now=now, hold_id=one.hold_id, items=items)
        await _refund_difference(session, view, leftover, now=now)
        await _after_disruption(session, view, now=now)
        after = await load_booking(session, view.id)
        assert after is not None
        await issue_tickets(session, after, now=now)
        await _finish(session, after, errand, "flights", now=now)


async def _after_disruption(session: AsyncSession, view: BookingView, *, now: datetime) -> None:
    if view.state is not BookingState.DISRUPTED:
        return
    left = await session.execute(
        text("SELECT 1 FROM disruption WHERE booking_id = :id AND state = 'open'"), {"id": view.id}
    )
    if left.first() is None:
        await set_state(session, view, after_disruption(view), now=now)


async def _refund_difference(
    session: AsyncSession, view: BookingView, leftover: dict[UUID, int], *, now: datetime
) -> None:
    """The new flight is cheaper: what is left of the old money goes back on the charges that took it."""
    for charge_id, amount in leftover.items():
        await request_refund(
            session,
            booking_id=view.id,
            charge_id=charge_id,
            amount_minor=amount,
            currency=view.currency,
            reason="change",
            now=now,
        )


async def _finish(session: AsyncSession, view: BookingView, errand: Errand, kind: str, *, now: datetime) -> None:
    await session.execute(_TOTAL, {"id": view.id})
    await bump_version(session, view.id)
    await add_timeline(session, view.id, f"{kind}_changed", actor="system", now=now)
    await request_documents(session, view.id, [DocumentKind.TICKET, DocumentKind.RECEIPT], now=now, cause="changed")
    await publish(session, view.id, lambda seen: facts.changed(seen, now=now, kind=kind), now=now)
    await finish_errand(session, errand.id)


async def _give_back(c: Container, errand: Errand, change: Any, reason: str) -> None:
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_booking(session, errand.booking_id)
        refused = await session.execute(_DONE, {"id": change.id, "state": "refused", "now": now})
        if view is not None and refused.first() is not None:
            charge = next((one for one in view.charges if one.id == change.charge_id), None)
            if charge is not None and charge.amount_minor:
                await request_refund(
                    session,
                    booking_id=view.id,
                    charge_id=charge.id,
                    amount_minor=charge.amount_minor,
                    currency=charge.currency,
                    reason="change",
                    now=now,
                )
            if change.hold_id is not None:
                await add_errand(session, view.id, "release_hold", now=now, hold_id=change.hold_id)
            await add_timeline(session, view.id, "change_not_honoured", actor="system", now=now, reason=reason)
        await finish_errand(session, errand.id)
