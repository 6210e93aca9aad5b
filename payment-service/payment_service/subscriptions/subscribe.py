"""Buy a subscription: the first month is a payment like any other, and its success starts the month."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.methods import Method
from payment_service.payments.pay import Till
from payment_service.payments.payable import LEASE, Payable
from payment_service.payments.schemas import PaymentOut
from payment_service.problems import PROBLEMS
from payment_service.subscriptions import store
from payment_service.subscriptions.calendar import period_after
from payment_service.subscriptions.errors import PlanNotFound, SubscriptionExists
from payment_service.subscriptions.schemas import CreateSubscription, SubscriptionBought
from payment_service.subscriptions.tables import subscription, subscription_period
from rihla.kernel import DomainError, Money, new_id
from rihla.web.idempotency import IdempotentRequest, Replay


@dataclass(frozen=True, slots=True)
class Buyer:
    user_id: UUID
    test_mode: bool


class _Quiet(IdempotentRequest):
    """The payment inside this request stores no answer of its own: the subscription's answer holds it."""

    async def finish(self, session: AsyncSession, *, status: int, body: bytes) -> None:
        return None


async def subscribe(
    till: Till, body: CreateSubscription, method: Method, buyer: Buyer, idem: IdempotentRequest
) -> bytes | Replay:
    """Subscription and payment as JSON (201). Raises PlanNotFound, SubscriptionExists, MethodNotAccepted."""
    async with till.db.transaction() as session:
        began = await idem.begin(session, resource_id=new_id(), now=till.clock.now(), lease=LEASE)
    if isinstance(began, Replay):
        return began
    quiet = _Quiet(idem.scope, idem.key, idem.fingerprint, idem.request_id)
    subscription_id = began.resource_id
    try:
        till.check_method(method, test_mode=buyer.test_mode)
        price, period_id = await _open(till, body, buyer, subscription_id)
        known = await till.known(period_id)
        if known is not None:
            paid = await till.resume(known, method, quiet)
        else:
            payable = Payable("subscription", buyer.user_id, price, subscription_period_id=period_id)
            # The first payment of a month carries the month's id, so that a repeat finds it.
            paid = await till.pay(period_id, payable, method, quiet, buyer.test_mode)
    except DomainError as error:
        await idem.finish_with_error(till.db, error, PROBLEMS)
        raise
    return await _answer(till, subscription_id, paid, idem)


async def _answer(till: Till, subscription_id: UUID, paid: bytes, idem: IdempotentRequest) -> bytes:
    payment = PaymentOut.model_validate_json(paid)
    async with till.db.transaction() as session:
        row = await store.find(session, subscription_id)
        assert row is not None
        out = SubscriptionBought(subscription=await store.subscription_out(session, row), payment=payment)
        answer = out.model_dump_json().encode()
        await idem.finish(session, status=201, body=answer)
    return answer


async def _open(till: Till, body: CreateSubscription, buyer: Buyer, subscription_id: UUID) -> tuple[Money, UUID]:
    """The subscription, incomplete, and its first month, due; found again when an earlier try made them."""
    now = till.clock.now()
    try:
        async with till.db.transaction() as session:
            plan = await store.plan(session, body.plan_id)
            if plan is None or not plan.active:
                raise PlanNotFound("There is no such plan on sale.")
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
    except IntegrityError as error:
        if "uq_subscription_live" in str(error.orig):
            raise SubscriptionExists("You have this plan already; cancel or let it end first.") from None
        raise
    return Money(plan.price_minor, plan.currency), period_id


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
