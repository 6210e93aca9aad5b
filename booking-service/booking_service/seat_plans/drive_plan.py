"""Drive a plan that has begun to its end, whoever began it. Every call repeats harmlessly: the bookings' and holds' ids
are stored before the first hold, and `attempt` fences a slower process off.
"""

from dataclasses import replace
from datetime import date, datetime

from booking_service.bookings.errors import (
    HoldLost,
    InvalidRequest,
    NotEnoughSeats,
    OfferChanged,
    OfferExpired,
    SeatTaken,
)
from booking_service.bookings.hold import HeldLine, Hold
from booking_service.bookings.reference import new_reference
from booking_service.bookings.store import add_errand
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from booking_service.placing.compose import RIDES, Placing, compose
from booking_service.placing.drive_placing import check_hold
from booking_service.placing.seal_order import sealed_order
from booking_service.placing.store import PLACE, place_values
from booking_service.seat_plans import store
from booking_service.seat_plans.errors import SeatPlanNotPossible
from booking_service.seat_plans.find_flights import NO_SEATS, Chosen, Missing, find_flights
from booking_service.seat_plans.kept_traveller import PlanTraveller, kept_traveller_of
from booking_service.seat_plans.plan import PlanState, SeatPlan
from booking_service.seat_plans.store import Row
from rihla.db.idempotency import RequestInProgress
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError, new_id

_GONE = (NotEnoughSeats, SeatTaken)
_STALE = (HoldLost, OfferChanged, OfferExpired)


async def drive(c: Container, row: Row) -> None:
    """Find, begin, hold and place. Raises SeatPlanNotPossible and InvalidRequest (nothing is held then), and
    UpstreamUnavailable (nothing is decided: go on later), RequestInProgress when another process took over.
    """
    plan = row.plan
    assert plan is not None
    async with c.db.transaction() as session:
        placings = await store.placings_of(session, plan.id)
    try:
        if not placings:
            placings = await _begin_bookings(c, row, plan)
        views = await _hold_all(c, placings)
    except (UpstreamUnavailable, RequestInProgress):
        raise
    except DomainError as refusal:
        await give_up(c, row)
        if isinstance(refusal, _STALE):
            # What was found a moment ago is not sold like that any more: a repeat looks again.
            raise UpstreamUnavailable("The flights changed meanwhile; try again.", upstream="flight") from refusal
        raise
    await _place_all(c, row, views)


async def _begin_bookings(c: Container, row: Row, plan: SeatPlan) -> list[Placing]:
    chosen, missing = await find_flights(c, plan)
    if missing:
        raise _not_possible(missing)
    if not chosen:
        raise InvalidRequest(("#/rides", "no-rides-in-period", "Every ride of the period has left already."))
    now = c.clock.now()
    async with c.db.transaction() as session:
        held = await store.lock(session, plan.id)
        if held is None or (held.state, held.attempt) != (row.state, row.attempt):
            raise RequestInProgress("Another process is reserving this plan; ask again shortly.")
        who = await kept_traveller_of(session, c.cipher, plan.subscription_id, plan.user_id)
        if who is None:
            raise InvalidRequest(("#/traveller", "traveller-required", "The traveller's data were erased."))
        placings = [_placing(c, plan, one, who, now) for one in chosen]
        await store.begin_bookings(session, plan, placings)
    return placings


def _placing(c: Container, plan: SeatPlan, chosen: Chosen, who: PlanTraveller, now: datetime) -> Placing:
    day, route = chosen.departure.day.isoformat(), chosen.departure.route
    return Placing(
        booking_id=new_id(),
        reference=new_reference(),
        hold_id=new_id(),
        user_id=plan.user_id,
        organisation_id=None,
        test_mode=False,
        attempt=1,
        created_at=now,
        payment_required_by=plan.expires_at,
        order=sealed_order(c.cipher, who.order(chosen.offer_id, plan.subscription_id, date=day, route=route)),
    )


async def _hold_all(c: Container, placings: list[Placing]) -> list[BookingView]:
    """Hold ride by ride, in the order they were begun: of two plans that want the same last seats the one that gets the
    first of them gets them all, and the other stops.
    """
    return [await _hold(c, placing) for placing in placings]


async def _hold(c: Container, placing: Placing) -> BookingView:
    order = placing.order
    expires_at = placing.payment_required_by + c.settings.hold_grace
    try:
        hold = await c.flights.put_hold(placing.hold_id, order.offer_id, expires_at, order.hold_lines())
    except _GONE as gone:
        day, route = date.fromisoformat(order.metadata["date"]), order.metadata["route"]
        raise _not_possible([Missing(day, route, NO_SEATS)]) from gone
    check_hold(placing, hold)
    return compose(replace(placing, order=sealed_order(c.cipher, order)), paid_by_plan(hold), 0)


def _not_possible(missing: list[Missing]) -> SeatPlanNotPossible:
    listed = [one.document() for one in missing]
    return SeatPlanNotPossible("Not every ride of the period can be had; nothing is reserved.", missing=listed)


def paid_by_plan(hold: Hold) -> Hold:
    """The hold at the price of nothing: against each line of each refund class stands what the plan pays of it.

    Class by class, so that no part of a later cancellation is money the traveller never paid here.
    """
    sums: dict[tuple[object, object, str], HeldLine] = {}
    for line in hold.price_lines:
        key = (line.passenger_id, line.flight_id, line.refund_class)
        before = sums[key].amount_minor if key in sums else 0
        sums[key] = HeldLine(
            passenger_id=line.passenger_id,
            flight_id=line.flight_id,
            kind="discount",
            code=RIDES[0],
            name=RIDES[1],
            amount_minor=before - line.amount_minor,
            refund_class=line.refund_class,
        )
    paid = tuple(line for line in sums.values() if line.amount_minor)
    return replace(hold, price_lines=(*hold.price_lines, *paid), total_minor=0)


async def _place_all(c: Container, row: Row, views: list[BookingView]) -> None:
    """The last transaction: all bookings are placed and the plan is held, or another process has done it.

    No event is told of a ride before the plan is paid: nobody is to be asked to pay for it.
    """
    now = c.clock.now()
    pool = await c.db.asyncpg_pool()
    async with pool.acquire() as connection, connection.transaction():
        held = await connection.fetchval(
            "UPDATE seat_plan SET state = 'held', lease_until = NULL "
            "WHERE id = $1 AND state = 'reserving' AND attempt = $2 RETURNING id",
            row.id,
            row.attempt,
        )
        if held is None:
            raise RequestInProgress("Another process is reserving this plan; ask again shortly.")
        for view in views:
            sold = place_values(
                view, attempt=1, step=None, errand_id=new_id(), envelope=None, idem=None, body=b"", now=now
            )
            await connection.fetchval(PLACE, *sold)


async def give_up(c: Container, row: Row) -> bool:
    """Compensate: nothing of the plan stays, and whatever is or will be held under its ids is released for good.

    False when another process has taken it over.
    """
    now = c.clock.now()
    async with c.db.transaction() as session:
        if not await store.end(session, row, PlanState.REFUSED):
            return False
        for booking_id, hold_id in await store.refuse_bookings(session, row.id):
            await add_errand(session, booking_id, "release_hold", now=now, hold_id=hold_id)
    return True
