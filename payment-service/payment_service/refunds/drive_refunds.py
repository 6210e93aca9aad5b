"""Call providers for refunds that are due, outside any transaction, and record what they say."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store as payments
from payment_service.payments.records import PartRecord
from payment_service.providers.interface import (
    ProviderNotAvailable,
    ProviderRefused,
    ProviderSilent,
    RefundOrder,
    RefundOutcome,
)
from payment_service.providers.registry import Providers
from payment_service.refunds import store
from payment_service.refunds.record_refund import record_refund
from payment_service.refunds.records import RefundPartRecord
from payment_service.refunds.rules import ATTEMPTS, pause_after
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import get_logger

_LEASE = timedelta(seconds=30)
_log = get_logger(__name__)


async def drive_refunds(
    db: Database, providers: Providers, clock: Clock, *, refund_id: UUID | None = None, limit: int = 20
) -> int:
    """One round over what is due (of one refund, or of all); how many parts were tried."""
    now = clock.now()
    async with db.transaction() as session:
        due = await store.lease_due(session, now=now, lease_until=now + _LEASE, limit=limit, refund_id=refund_id)
        orders = []
        for part in due:
            taken = await payments.find_part(session, key=part.payment_part_id)
            assert taken is not None
            assert taken.provider is not None
            orders.append((part, taken.provider, await order_of(session, part, taken)))
    for part, provider, order in orders:
        await _drive(db, providers, clock, part, provider, order)
    return len(orders)


async def _drive(
    db: Database, providers: Providers, clock: Clock, part: RefundPartRecord, provider: str, order: RefundOrder
) -> None:
    try:
        # The same key again is harmless: the provider answers with what became of it.
        outcome = await providers.get(provider).refund(order)
    except ProviderRefused as error:
        outcome = RefundOutcome("failed", None, error.code)
    except (ProviderSilent, ProviderNotAvailable) as error:
        _log.warning(
            "refund_unanswered", refund_part_id=str(part.id), attempts=part.attempts, error=type(error).__name__
        )
        if part.attempts < ATTEMPTS:
            await _postpone(db, clock, part)
            return
        outcome = RefundOutcome("failed", None, "provider-silent")
    if outcome.status == "processing":
        await _postpone(db, clock, part)
        return
    async with db.transaction() as session:
        await record_refund(session, part.provider_key, outcome, now=clock.now())


async def order_of(session: AsyncSession, part: RefundPartRecord, taken: PartRecord) -> RefundOrder:
    """What the provider is asked, with what it must know to tell whether it was asked before."""
    settled, waits = await store.sent_before(session, part)
    return RefundOrder(
        part.provider_key, taken.id, taken.provider_reference or "", part.amount_minor, part.currency,
        part.attempts, settled, waits,
    )  # fmt: skip


async def _postpone(db: Database, clock: Clock, part: RefundPartRecord) -> None:
    async with db.transaction() as session:
        await store.change_part(
            session, part.id, next_attempt_at=clock.now() + pause_after(part.attempts), last_error="provider-silent"
        )
