"""Bring a payment to its end, from wherever the news came: our own call, a webhook, or a question asked later."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store
from payment_service.payments.forget_cards import is_forgotten
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.states import FINAL, part_after, payment_of
from payment_service.payments.taking import give_back_inside, pass_on, take_outside
from payment_service.payments.telling import tell_failed, tell_succeeded
from payment_service.providers.interface import TakeOutcome
from payment_service.refunds.open_refund import RefundRequest, open_refund
from rihla.kernel import new_id
from rihla.telemetry import get_logger

_log = get_logger(__name__)
_OTHER_AMOUNT = "The payment provider took another amount than was due; it is on its way back."
_ONE_SUCCESS = ("uq_payment_succeeded_charge", "uq_payment_succeeded_period")


async def record_taking(
    session: AsyncSession, part: PartRecord, outcome: TakeOutcome, *, now: datetime
) -> PaymentRecord:
    """Apply a provider's report to one part, and to its payment what follows from it. Harmless when repeated."""
    payment = await store.find(session, part.payment_id, lock=True)
    assert payment is not None  # the foreign key holds them together
    parts = await store.parts_of(session, payment.id)
    current = next(known for known in parts if known.id == part.id)
    if outcome.status == "succeeded" and not _as_asked(current, outcome):
        return await _other_amount(session, payment, parts, current, outcome, now=now)
    status = part_after(current.status, outcome.status)
    told_nothing_new = status == current.status and outcome.reference in (None, current.provider_reference)
    if told_nothing_new and not outcome.action_url:
        return payment
    if outcome.card_last4 is not None and await is_forgotten(session, payment.user_id):
        outcome = replace(outcome, card_brand=None, card_last4=None)
    changed = await store.change_part(
        session,
        part.id,
        status=status,
        provider_reference=current.provider_reference or outcome.reference,
        failure_code=outcome.failure_code if status == "failed" else None,
        failure_message=outcome.failure_message if status == "failed" else None,
        card_brand=current.card_brand or outcome.card_brand,
        card_last4=current.card_last4 or outcome.card_last4,
        taken_at=current.taken_at or (now if status == "taken" else None),
    )
    if status == "taken" and current.status != "taken":
        await take_outside(session, payment, changed, now=now)
    parts = [changed if known.id == part.id else known for known in parts]
    if payment.status in FINAL:
        return await _late(session, payment, changed, before=current, now=now)
    return await advance(session, payment, parts, outcome=outcome, now=now)


def _as_asked(part: PartRecord, outcome: TakeOutcome) -> bool:
    """Whether the provider took the amount and currency we asked for."""
    return (outcome.amount_minor, outcome.currency) == (part.amount_minor, part.currency)


async def _other_amount(
    session: AsyncSession,
    payment: PaymentRecord,
    parts: Sequence[PartRecord],
    part: PartRecord,
    outcome: TakeOutcome,
    *,
    now: datetime,
) -> PaymentRecord:
    """A success of another amount or currency is not the one we asked for: the payment fails, and the money that was
    taken in its stead is booked as it is and goes back by itself.
    """
    if part.status in ("taken", "given_back"):
        return payment
    _log.error("provider_amount_differs", part_id=str(part.id), provider=part.provider)
    changed = await store.change_part(
        session,
        part.id,
        **{
            "provider_reference": part.provider_reference or outcome.reference,
            "failure_code": "amount-mismatch",
            "failure_message": _OTHER_AMOUNT,
            **(_really_taken(outcome, now) if outcome.amount_minor > 0 else {"status": "failed"}),
        },
    )
    if changed.status == "taken":
        await take_outside(session, payment, changed, now=now)
    if payment.status in FINAL:
        return await _late(session, payment, changed, before=part, now=now)
    parts = [changed if known.id == part.id else known for known in parts]
    return await fail(
        session, payment, parts, code="amount-mismatch", message=_OTHER_AMOUNT, reason="payment_failed", now=now
    )


def _really_taken(outcome: TakeOutcome, now: datetime) -> dict[str, object]:
    taken = {"amount_minor": outcome.amount_minor, "currency": outcome.currency}
    return {"status": "taken", "taken_at": now, **taken}


async def advance(
    session: AsyncSession,
    payment: PaymentRecord,
    parts: Sequence[PartRecord],
    *,
    now: datetime,
    outcome: TakeOutcome | None = None,
) -> PaymentRecord:
    """Move an open payment to what its parts say."""
    status = payment_of(part.status for part in parts)
    if status == "failed":
        failed = next(part for part in parts if part.status == "failed")
        code = failed.failure_code or "card-declined"
        message = failed.failure_message or "The payment was not completed."
        return await fail(session, payment, parts, code=code, message=message, reason="payment_failed", now=now)
    if status == "succeeded":
        return await _succeed(session, payment, parts, now=now)
    action = payment.next_action
    if status == "requires_action" and outcome is not None and outcome.action_url:
        action = {"type": "redirect", "url": outcome.action_url}
    if status == "processing":
        action = None
    if (status, action) == (payment.status, payment.next_action):
        return payment
    return await store.change(session, payment.id, status=status, next_action=action, updated_at=now)


async def _succeed(
    session: AsyncSession, payment: PaymentRecord, parts: Sequence[PartRecord], *, now: datetime
) -> PaymentRecord:
    """At most one payment of a charge gets here; the one that lost the race is given back by itself."""
    try:
        async with session.begin_nested():
            won = await store.change(
                session, payment.id, status="succeeded", next_action=None, succeeded_at=now, updated_at=now
            )
    except IntegrityError as error:
        if not any(name in str(error.orig) for name in _ONE_SUCCESS):
            raise
        return await fail(
            session,
            payment,
            parts,
            code="charge-already-paid",
            message="This charge had been paid already; the money is on its way back.",
            reason="superseded",
            now=now,
        )
    await pass_on(session, won, now=now)
    await tell_succeeded(session, won, parts, now=now)
    return won


async def fail(
    session: AsyncSession,
    payment: PaymentRecord,
    parts: Sequence[PartRecord],
    *,
    code: str,
    message: str,
    reason: str,
    now: datetime,
) -> PaymentRecord:
    """End an open payment without success; whatever was taken for it goes back."""
    payment = await store.change(
        session,
        payment.id,
        status="failed",
        failure_code=code.replace("_", "-"),
        failure_message=message,
        next_action=None,
        updated_at=now,
    )
    for part in parts:
        if part.status == "taken" and part.kind != "card":
            await give_back_inside(session, payment, part, now=now)
    captured = [part for part in parts if part.status == "taken" and part.kind == "card"]
    for currency in sorted({part.currency for part in captured}):
        alike = [part for part in captured if part.currency == currency]
        request = RefundRequest(new_id(), sum(part.left_minor for part in alike), reason)
        await open_refund(session, payment, alike, request, now=now)
    await tell_failed(session, payment, now=now)
    return payment


async def _late(
    session: AsyncSession, payment: PaymentRecord, part: PartRecord, *, before: PartRecord, now: datetime
) -> PaymentRecord:
    """News about a payment that has ended. Money that came after all goes straight back."""
    if payment.status == "failed" and part.status == "taken" and before.status != "taken":
        request = RefundRequest(new_id(), part.left_minor, "payment_failed")
        await open_refund(session, payment, [part], request, now=now)
    return payment
