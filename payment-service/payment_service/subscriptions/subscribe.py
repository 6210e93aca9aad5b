"""Buy a subscription: the first month is a payment like any other, and its success starts the month."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.methods import Method
from payment_service.payments.pay import Till
from payment_service.payments.payable import LEASE, Payable
from payment_service.payments.schemas import PaymentOut
from payment_service.payments.tables import payment
from payment_service.problems import PROBLEMS
from payment_service.subscriptions import seat_store, store
from payment_service.subscriptions.calendar import period_after
from payment_service.subscriptions.errors import PlanNotFound, SubscriptionExists
from payment_service.subscriptions.rules import Plan, check_rides
from payment_service.subscriptions.schemas import CreateSubscription, SubscriptionBought
from payment_service.subscriptions.seats import GRACE, PAYMENT_WINDOW, Seats
from payment_service.subscriptions.tables import subscription, subscription_period
from rihla.kernel import DomainError, Money, new_id
from rihla.web.idempotency import IdempotentRequest, Replay


@dataclass(frozen=True, slots=True)
class Buyer:
    user_id: UUID
    test_mode: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """The first month, and its seats where rides were chosen."""

    price: Money
    period_id: UUID
    seat_plan: Row[Any] | None


class _Quiet(IdempotentRequest):
    """The payment inside this request stores no answer of its own: the subscription's answer holds it."""

    async def finish(self, session: AsyncSession, *, status: int, body: bytes) -> None:
        return None


async def subscribe(
    till: Till, seats: Seats, body: CreateSubscription, method: Method, buyer: Buyer, idem: IdempotentRequest
) -> bytes | Replay:
    """Subscription and payment as JSON (201).

    Raises PlanNotFound, SubscriptionExists, MethodNotAccepted, RidesNotInPlan, SeatPlanNotPossible, SeatPlanRefused,
    UpstreamUnavailable.
    """
    async with till.db.transaction() as session:
        began = await idem.begin(session, resource_id=new_id(), now=till.clock.now(), lease=LEASE)
    if isinstance(began, Replay):
        return began
    quiet = _Quiet(idem.scope, idem.key, idem.fingerprint, idem.request_id)
    subscription_id = began.resource_id
    try:
        await till.check_method(method, buyer.user_id, test_mode=buyer.test_mode)
        opened = await _open(till, body, buyer, subscription_id)
        known = await till.known(opened.period_id)
        if known is not None:
            paid = await till.resume(known, method, quiet)
        else:
            paid = await _pay(till, seats, body, buyer, opened, method, quiet)
        await seats.drive_month(opened.period_id)
    except DomainError as error:
        await idem.finish_with_error(till.db, error, PROBLEMS)
        raise
    return await _answer(till, subscription_id, paid, idem)


async def _pay(
    till: Till,
    seats: Seats,
    body: CreateSubscription,
    buyer: Buyer,
    opened: Opened,
    method: Method,
    quiet: IdempotentRequest,
) -> bytes:
    """Seats first, money after; without the money the seats go back at once."""
    until = None
    if opened.seat_plan is not None and body.traveller is not None:
        until = opened.seat_plan.expires_at - GRACE
        await seats.hold(opened.seat_plan.id, body.traveller.model_dump())
    payable = Payable(
        "subscription", buyer.user_id, opened.price, subscription_period_id=opened.period_id, payable_until=until
    )
    try:
        # The first payment of a month carries the month's id, so that a repeat finds it.
        return await till.pay(opened.period_id, payable, method, quiet, buyer.test_mode)
    except DomainError:
        if opened.seat_plan is not None:
            await seats.give_up(opened.seat_plan.id)
        raise


async def _answer(till: Till, subscription_id: UUID, paid: bytes, idem: IdempotentRequest) -> bytes:
    first = PaymentOut.model_validate_json(paid)
    async with till.db.transaction() as session:
        row = await store.find(session, subscription_id)
        assert row is not None
        out = SubscriptionBought(subscription=await store.subscription_out(session, row), payment=first)
        answer = out.model_dump_json().encode()
        await idem.finish(session, status=201, body=answer)
    return answer


async def _open(till: Till, body: CreateSubscription, buyer: Buyer, subscription_id: UUID) -> Opened:
    """The subscription, incomplete, and its first month, due; found again when an earlier try made them."""
    now = till.clock.now()
    try:
        async with till.db.transaction() as session:
            plan = await store.plan(session, body.plan_id)
            if plan is None or not plan.active:
                raise PlanNotFound("There is no such plan on sale.")
            if body.rides:
                covered = Plan(tuple(plan.routes), plan.cabin, plan.discount_basis_points)
                check_rides(covered, plan.rides_per_period, [ride.route for ride in body.rides])
            today = now.date()
            await session.execute(
                upsert(subscription)
                .values(
                    id=subscription_id,
                    user_id=buyer.user_id,
                    plan_id=plan.id,
                    status="incomplete",
                    travel_pattern=[ride.model_dump(mode="json") for ride in body.rides],
                    anchor_day=today.day,
                    created_at=now,
                    updated_at=now,
                )
                .on_conflict_do_nothing(index_elements=["id"])
            )
            period_id = await open_period(session, subscription_id, plan, today, today.day, now)
            seat_plan = await _seat_plan(session, subscription_id, period_id, now) if body.rides else None
    except IntegrityError as error:
        if "uq_subscription_live" in str(error.orig):
            raise SubscriptionExists("You have this plan already; cancel or let it end first.") from None
        raise
    return Opened(Money(plan.price_minor, plan.currency), period_id, seat_plan)


async def _seat_plan(session: AsyncSession, subscription_id: UUID, period_id: UUID, now: datetime) -> Row[Any]:
    """The month's seat plan; a new one when the same request comes again after its first was given up."""
    known = await seat_store.newest_of(session, period_id)
    if known is not None and known.state in seat_store.LIVE:
        return known
    if known is not None:
        paid_or_failed = select(payment.c.id).where(payment.c.subscription_period_id == period_id)
        if (await session.execute(paid_or_failed)).first() is not None:
            return known
        await store.change(session, subscription_id, status="incomplete", updated_at=now)
        await session.execute(
            update(subscription_period).where(subscription_period.c.id == period_id).values(status="due")
        )
    expires_at = now + PAYMENT_WINDOW + GRACE
    return await seat_store.add(
        session, subscription_id=subscription_id, period_id=period_id, expires_at=expires_at, now=now
    )


async def open_period(
    session: AsyncSession, subscription_id: UUID, plan: Any, starts_on: Any, anchor_day: int, now: Any
) -> UUID:
    """The month that begins on `starts_on`, due; the same one when it is there already."""
    known = await session.execute(
        subscription_period.select().where(
            subscription_period.c.subscription_id == subscription_id, subscription_period.c.starts_on == starts_on
        )
    )
    row = known.one_or_none()
    if row is not None:
        return UUID(str(row.id))
    period_id = new_id()
    await session.execute(
        insert(subscription_period).values(
            id=period_id,
            subscription_id=subscription_id,
            starts_on=starts_on,
            ends_on=period_after(starts_on, anchor_day),
            amount_minor=plan.price_minor,
            currency=plan.currency,
            rides=plan.rides_per_period,
            status="due",
            created_at=now,
        )
    )
    return period_id
