"""Call the providers of an attempt's open card parts, one after another, and record each answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store
from payment_service.payments.asked import Taking
from payment_service.payments.desk import PaymentDesk
from payment_service.payments.methods import Source
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.settle import record_taking
from payment_service.payments.states import FINAL
from payment_service.payments.views import payment_json
from payment_service.providers.interface import ProviderRefused, ProviderSilent, TakeOrder, TakeOutcome
from payment_service.providers.keeping import KeptToken
from payment_service.providers.registry import Providers
from payment_service.saved_methods.vault import Vault
from rihla.db import Database
from rihla.encryption import UnreadableData
from rihla.kernel import Clock
from rihla.telemetry import get_logger
from rihla.web.idempotency import IdempotentRequest

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a call needs."""

    db: Database
    clock: Clock
    providers: Providers
    desk: PaymentDesk
    vault: Vault


async def call_providers(
    attempt: Attempt,
    payment: PaymentRecord,
    parts: Sequence[PartRecord],
    sources: Mapping[UUID, Source],
    idem: IdempotentRequest,
    return_url: str | None,
) -> bytes:
    """Take the card parts; the answer is saved under the idempotency key with the last outcome.

    A silent provider leaves the payment `processing`: a webhook or the reconciliation ends it.
    """
    waiting = [part for part in parts if part.kind == "card" and part.status == "taking"]
    for left, part in zip(range(len(waiting) - 1, -1, -1), waiting, strict=True):
        if payment.status in FINAL:
            break
        outcome = await _take(attempt, payment, part, sources[part.id], return_url)
        if outcome is None:
            continue
        if outcome.status == "succeeded" and len(parts) == 1:
            taking = Taking(part.provider or "", part.id, outcome.reference, outcome, idem)
            answer = await attempt.desk.ask(taking)
            if isinstance(answer, bytes):
                return answer
        async with attempt.db.transaction() as session:
            payment = await record_taking(session, part, outcome, now=attempt.clock.now())
            if payment.status in FINAL or not left:
                return await _answered(session, payment, idem)
    async with attempt.db.transaction() as session:
        latest = await store.find(session, payment.id)
        assert latest is not None
        return await _answered(session, latest, idem)


async def _answered(session: AsyncSession, payment: PaymentRecord, idem: IdempotentRequest) -> bytes:
    answer = payment_json(payment, await store.parts_of(session, payment.id))
    await idem.finish(session, status=201, body=answer)
    return answer


async def _take(
    attempt: Attempt, payment: PaymentRecord, part: PartRecord, source: Source, return_url: str | None
) -> TakeOutcome | None:
    token, customer = source.token, None
    if source.saved_method_id is not None:
        kept = await _kept(attempt, source.saved_method_id, payment.user_id)
        if kept is None:
            # Whether an earlier try of this request took money is for the reconciliation to ask.
            return None
        token, customer = kept.token, kept.customer
    order = TakeOrder(
        key=part.id,
        payment_id=payment.id,
        amount_minor=part.amount_minor,
        currency=part.currency,
        description=f"Rihla {payment.booking_reference or payment.purpose}",
        card=source.card,
        token=token,
        customer=customer,
        return_url=return_url,
    )
    try:
        return await attempt.providers.get(part.provider or "").take(order)
    except ProviderSilent:
        return None
    except ProviderRefused as error:
        return TakeOutcome(
            status="failed",
            reference=None,
            amount_minor=part.amount_minor,
            currency=part.currency,
            failure_code=error.code.replace("_", "-"),
            failure_message=error.message or "The payment was refused.",
        )


async def _kept(attempt: Attempt, method_id: UUID, user_id: UUID) -> KeptToken | None:
    """None when the card was removed since, or its key is gone."""
    try:
        return await attempt.vault.take_out(method_id, user_id)
    except UnreadableData:
        _log.error("saved_method_unreadable", method_id=str(method_id))
        return None
