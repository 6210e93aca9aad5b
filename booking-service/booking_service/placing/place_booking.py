"""Place a booking: two short transactions around the hold (house.md, section 3; ADR in docs/adr).

First the key and the booking with its ids, then the calls, then everything that was sold together with the saved
answer. A
crash between leaves a booking in `placing`, which a repeat or the sweeper drives to the end with the same ids.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.errors import HoldLost, InvalidRequest
from booking_service.bookings.read_booking import load_booking
from booking_service.bookings.reference import new_reference
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.placing import store
from booking_service.placing.budget_store import SLOT_CHECK, SLOT_INDEX, read_kept
from booking_service.placing.compose import Placing
from booking_service.placing.desk import TooManyAtOnce
from booking_service.placing.drive_placing import drive, give_up, refusal_again
from booking_service.placing.hold_budget import HoldBudget, check_budget
from booking_service.placing.order import Order
from booking_service.placing.rules import check_party
from booking_service.placing.seal_order import sealed_order
from booking_service.problems import PROBLEMS
from booking_service.settling.confirm_booking import confirm_now
from rihla.auth import Principal
from rihla.db.idempotency import Replay, RequestInProgress
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError, new_id
from rihla.web.idempotency import IdempotentRequest


async def place_booking(c: Container, principal: Principal, order: Order, idem: IdempotentRequest) -> bytes | Replay:
    """The new booking as JSON, or the saved answer of the same request.

    Raises InvalidRequest (422), what flight-service and payment-service refuse (409, 410), RequestInProgress (409),
    TooManyUnpaidBookings (409), KeyReused (422), TooManyAtOnce (429) and UpstreamUnavailable
    (503: repeat with the same key, nothing is lost).
    """
    findings = check_party(order, c.clock.now().date())
    if findings:
        raise InvalidRequest(*findings)
    placing = _new_placing(c, principal, sealed_order(c.cipher, order))
    begun = await c.placings.begin(
        placing, idem, lease_until=placing.created_at + c.settings.placing_lease, budget=_budget(c, placing)
    )
    if begun is not None:
        return await _drive_and_answer(c, begun, idem)
    found = await _resume(c, placing, idem)
    return await _drive_and_answer(c, found, idem) if isinstance(found, Placing) else found


def _new_placing(c: Container, principal: Principal, order: Order) -> Placing:
    now = c.clock.now()
    return Placing(
        booking_id=new_id(),
        reference=new_reference(),
        hold_id=new_id(),
        user_id=principal.user_id,
        organisation_id=principal.organisation_id,
        test_mode=principal.test_mode,
        attempt=1,
        created_at=now,
        payment_required_by=now + c.settings.payment_window,
        order=order,
        api_key_id=principal.key_id,
        unpaid_by_contract=principal.unpaid_bookings,
    )


def _budget(c: Container, placing: Placing) -> HoldBudget:
    budget = c.settings.hold_budget(partner=placing.api_key_id is not None)
    by_contract = placing.unpaid_by_contract
    return budget if by_contract is None else replace(budget, at_once=by_contract)


async def _drive_and_answer(c: Container, placing: Placing, idem: IdempotentRequest) -> bytes:
    try:
        view, body = await drive(c, placing, idem)
    except (UpstreamUnavailable, RequestInProgress, TooManyAtOnce):
        await _step_back(c, placing, idem)
        raise
    except HoldLost as lost:
        # The hold ended while nobody drove this: begin again under a new one when the caller repeats.
        await give_up(c, placing, lost, idem)
        await _step_back(c, placing, idem)
        raise UpstreamUnavailable("The seats could not be held in time; try again with the same key.") from lost
    except DomainError as refusal:
        await give_up(c, placing, refusal, idem)
        raise
    if view.total_minor:
        return body
    return await _confirm_free(c, placing, idem)


async def _step_back(c: Container, placing: Placing, idem: IdempotentRequest) -> None:
    async with c.db.transaction() as session:
        await store.step_back(session, placing, idem, now=c.clock.now())


async def _confirm_free(c: Container, placing: Placing, idem: IdempotentRequest) -> bytes:
    """Nothing is to be paid: confirm at once. If flight-service does not answer, the errand confirms a little later."""
    await confirm_now(c, placing.booking_id)
    async with c.db.transaction() as session:
        view = await load_booking(session, placing.booking_id)
        if view is None:
            raise LookupError("the booking just placed is gone")
        body = booking_json(view, c.clock.now())
        await idem.finish(session, status=201, body=body)
    return body


async def _resume(c: Container, fresh: Placing, idem: IdempotentRequest) -> Placing | Replay | bytes:
    """The key was there: the saved answer, the booking as the sweeper finished it, or the placing to drive on. It was
    not: the hold budget says whether there is room after all.
    """
    try:
        return await _look_again(c, fresh, idem)
    except IntegrityError as error:
        if SLOT_INDEX not in str(error.orig) and SLOT_CHECK not in str(error.orig):
            raise
        raise RequestInProgress("Other requests of yours are being placed; try again shortly.") from error


async def _look_again(c: Container, fresh: Placing, idem: IdempotentRequest) -> Placing | Replay | bytes:
    now, lease, budget = c.clock.now(), c.settings.placing_lease, _budget(c, fresh)
    async with c.db.transaction() as session:
        began = await idem.begin(session, resource_id=fresh.booking_id, now=now, lease=lease)
        if isinstance(began, Replay):
            return began
        attempt = await store.claim(session, began.resource_id, now=now, lease=lease)
        if attempt is None:
            await _require_room(session, budget, fresh, now)
            await store.begin_again(session, fresh, began.resource_id, lease_until=now + lease, budget=budget)
            return replace(fresh, booking_id=began.resource_id)
        if attempt.placing is not None:
            return attempt.placing
        if attempt.state == "placing":
            raise RequestInProgress("The first request with this Idempotency-Key is still running; try again shortly.")
        if attempt.state != "refused":
            view = await load_booking(session, began.resource_id)
            assert view is not None
            body = booking_json(view, now)
            await idem.finish(session, status=201, body=body)
            return Replay(201, body, "application/json")
        refusal = refusal_again(attempt.refusal)
        if refusal is None:
            again = replace(fresh, booking_id=began.resource_id)
            await _require_room(session, budget, again, now)
            return await store.revive(session, again, now=now, lease=lease, budget=budget)
    await idem.finish_with_error(c.db, refusal, PROBLEMS)
    raise refusal


async def _require_room(session: AsyncSession, budget: HoldBudget, placing: Placing, now: datetime) -> None:
    kept = await read_kept(session, placing.holder, since=now - budget.window, but=placing.booking_id)
    check_budget(budget, kept.unpaid, kept.lapsed, now)
