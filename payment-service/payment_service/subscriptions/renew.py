"""At the end of a month: renew from the wallet, try again each day of grace, then end."""

from datetime import timedelta
from uuid import UUID

from payment_service.payments.methods import Method, Source
from payment_service.payments.pay import Till
from payment_service.payments.payable import Payable
from payment_service.payments.schemas import PaymentOut
from payment_service.subscriptions import store
from payment_service.subscriptions.subscribe import open_period
from rihla.kernel import DomainError, Money, new_id
from rihla.telemetry import get_logger
from rihla.web.idempotency import IdempotentRequest

_WALLET = Method("wallet", (Source("wallet"),))
_UNASKED = IdempotentRequest("worker", "", b"", "")
_log = get_logger(__name__)


async def renew_due(till: Till, *, grace_days: int, limit: int = 50) -> int:
    """One round over subscriptions whose month is over; how many were looked at."""
    async with till.db.transaction() as session:
        due = await store.due_for_renewal(session, now=till.clock.now(), limit=limit)
    for subscription_id in due:
        await _renew(till, subscription_id, grace_days)
    return len(due)


async def _renew(till: Till, subscription_id: UUID, grace_days: int) -> None:
    now = till.clock.now()
    async with till.db.transaction() as session:
        row = await store.find(session, subscription_id, lock=True)
        if row is None or row.next_renewal_at is None or row.next_renewal_at > now:
            return
        if row.cancel_at_period_end or row.renewal_attempts > grace_days or row.status == "cancelled":
            await store.change(session, row.id, status="cancelled", next_renewal_at=None, updated_at=now)
            return
        plan = await store.plan(session, row.plan_id)
        assert plan is not None  # a foreign key
        period_id = await open_period(session, row.id, plan, row.current_period_end, row.anchor_day, now)
        # Tomorrow again, unless the payment below succeeds: a crash in between costs a day, never a second payment.
        await store.change(
            session,
            row.id,
            status="past_due",
            renewal_attempts=row.renewal_attempts + 1,
            next_renewal_at=now + timedelta(days=1),
            updated_at=now,
        )
    payable = Payable(
        "subscription", row.user_id, Money(plan.price_minor, plan.currency), subscription_period_id=period_id
    )
    try:
        paid = PaymentOut.model_validate_json(await till.pay(new_id(), payable, _WALLET, _UNASKED, False))
        _log.info("subscription_renewal", subscription_id=str(subscription_id), status=paid.status)
    except DomainError as error:
        _log.warning("subscription_renewal_refused", subscription_id=str(subscription_id), error=type(error).__name__)
