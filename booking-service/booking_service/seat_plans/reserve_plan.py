"""Reserve a period's rides, all or nothing: the plan first, then the bookings with their ids, then every hold, then all
of them at once as placed. A crash between any two leaves a plan in `reserving`: a repeat or the sweeper drives it on.
"""

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.errors import InvalidRequest
from booking_service.bootstrap import Container
from booking_service.placing.rules import check_party
from booking_service.seat_plans import store
from booking_service.seat_plans.drive_plan import drive
from booking_service.seat_plans.errors import SeatPlanDiffers, SeatPlanReleased
from booking_service.seat_plans.kept_traveller import PlanTraveller, keep_traveller, kept_traveller_of
from booking_service.seat_plans.plan import MOST_RIDES, PlanState, SeatPlan, departures
from booking_service.seat_plans.store import Row
from rihla.db.idempotency import RequestInProgress
from rihla.http import UpstreamUnavailable

_LOOK_EVERY_SECONDS = 0.1
_PATIENCE_SECONDS = 5.0


async def reserve_plan(c: Container, plan: SeatPlan, who: PlanTraveller | None) -> bool:
    """Hold every ride of `plan`. True when this call reserved it, False when it stood already.

    Raises SeatPlanNotPossible, SeatPlanReleased, SeatPlanDiffers, InvalidRequest, RequestInProgress (a twin is at it
    and takes long) and UpstreamUnavailable (repeat it; nothing is lost).
    """
    tries = int(_PATIENCE_SECONDS / _LOOK_EVERY_SECONDS)
    for _ in range(tries):
        async with c.db.transaction() as session:
            row, ours = await _begin(session, c, plan, who)
        if ours:
            await _drive(c, row)
            return True
        if row.state is not PlanState.RESERVING:
            return False
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    raise RequestInProgress("The same plan is being reserved; ask again shortly.")


async def _drive(c: Container, row: Row) -> None:
    try:
        await drive(c, row)
    except UpstreamUnavailable:
        async with c.db.transaction() as session:
            await store.step_back(session, row, now=c.clock.now())
        raise


async def _begin(session: AsyncSession, c: Container, plan: SeatPlan, who: PlanTraveller | None) -> tuple[Row, bool]:
    """The first transaction. The plan's row, and whether it is for this call to drive."""
    now = c.clock.now()
    row = await store.insert(session, plan, now=now)
    if row is None:
        known = await store.lock(session, plan.id)
        assert known is not None
        _check_repeat(known, plan)
        if known.state is PlanState.REFUSED:
            row = await store.begin_again(session, plan, now=now)
        elif known.state is PlanState.RESERVING and not known.driven(now):
            return await store.take(session, plan.id, PlanState.RESERVING, now=now), True
        else:
            return known, False
    _check(plan, now)
    await _know_traveller(session, c, plan, who, now=now)
    return row, True


def _check_repeat(known: Row, plan: SeatPlan) -> None:
    if known.state is PlanState.RELEASED:
        raise SeatPlanReleased("This plan was released; nothing can be reserved under its id.")
    if known.state is PlanState.REFUSED or known.plan is None:
        return
    before = (known.plan.subscription_id, known.plan.user_id, known.plan.content())
    if before != (plan.subscription_id, plan.user_id, plan.content()):
        raise SeatPlanDiffers("This id was used for another plan.")


def _check(plan: SeatPlan, now: datetime) -> None:
    count = len(departures(plan))
    if plan.expires_at <= now:
        raise InvalidRequest(("#/expires_at", "in-the-past", "The window to pay is over."))
    if not 1 <= count <= MOST_RIDES:
        message = f"A period has from 1 to {MOST_RIDES} rides; this one has {count}."
        raise InvalidRequest(("#/rides", "too-many-rides" if count else "no-rides-in-period", message))


async def _know_traveller(
    session: AsyncSession, c: Container, plan: SeatPlan, who: PlanTraveller | None, *, now: datetime
) -> None:
    known = who or await kept_traveller_of(session, c.cipher, plan.subscription_id, plan.user_id)
    if known is None:
        message = "Nobody is known to travel on this subscription; name the traveller."
        raise InvalidRequest(("#/traveller", "traveller-required", message))
    findings = check_party(known.order("", plan.subscription_id), now.date())
    if findings:
        at = [(p.replace("#/passengers/0", "#/traveller/passenger"), code, message) for p, code, message in findings]
        raise InvalidRequest(*at)
    if who is not None:
        await keep_traveller(session, c.cipher, who, plan.subscription_id, plan.user_id, now=now)
