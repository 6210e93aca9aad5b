"""Finish what a crash, a silent provider or an absent person left open, by asking the provider."""

from datetime import datetime, timedelta
from typing import Final

from payment_service.payments import store
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.settle import record_taking
from payment_service.providers.interface import (
    ProviderNotAvailable,
    ProviderRefused,
    ProviderSilent,
    TakeOutcome,
)
from payment_service.providers.registry import Providers
from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import get_logger

# A person on a confirmation page has this long when nothing else says how long.
_PATIENCE: Final = timedelta(minutes=30)
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_log = get_logger(__name__)


async def reconcile(db: Database, providers: Providers, clock: Clock, *, limit: int = 50) -> int:
    """One round over open card parts whose lease has run out; how many were looked at."""
    now = clock.now()
    async with db.transaction() as session:
        lease = now + timedelta(seconds=30)
        left_open = await store.lease_open(session, now=now, lease_until=lease, limit=limit)
    for payment, part in left_open:
        try:
            outcome = await _ask(providers, payment, part, now)
        except (ProviderSilent, ProviderRefused, ProviderNotAvailable) as error:
            _log.warning("reconcile_unanswered", part_id=str(part.id), error=type(error).__name__)
            await _later(db, payment, clock.now())
            continue
        async with db.transaction() as session:
            await record_taking(session, part, outcome, now=clock.now())
        if outcome.status in ("processing", "requires_action"):
            await _later(db, payment, clock.now())
    return len(left_open)


async def _ask(providers: Providers, payment: PaymentRecord, part: PartRecord, now: datetime) -> TakeOutcome:
    """Where the part stands at its provider; what is no longer wanted is cancelled there first.

    A key the provider has never seen is cancelled too, so that a request still on its way cannot take money later.
    """
    provider = providers.get(part.provider or "")
    found = None
    if payment.status != "failed":
        found = await provider.look_up(part.id, part.provider_reference)
    deadline = (payment.payable_until or payment.created_at) + _PATIENCE
    given_up = found is None or (found.status == "requires_action" and now >= deadline)
    if given_up:
        found = await provider.cancel(part.id, part.provider_reference)
    if found is not None and not (given_up and found.status == "failed"):
        return found
    return TakeOutcome(
        status="failed",
        reference=found.reference if found else None,
        amount_minor=part.amount_minor,
        currency=part.currency,
        failure_code="payment-abandoned",
        failure_message="The payment was not completed in time; nothing was taken.",
    )


async def _later(db: Database, payment: PaymentRecord, now: datetime) -> None:
    pause = min(_FIRST_PAUSE * 2 ** min(payment.reconcile_attempts, 12), _LONGEST_PAUSE)
    async with db.transaction() as session:
        await store.postpone(session, payment.id, lease_until=now + pause)
