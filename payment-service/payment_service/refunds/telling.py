"""The end of a refund: its state and its event, when its parts have ended."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.refunds import store
from payment_service.refunds.records import RefundPartRecord, RefundRecord
from rihla.contracts.events import RefundFailedV1, RefundSucceededV1
from rihla.db.outbox import add_event
from rihla.telemetry import Counter

_ENDED = Counter("rihla_refunds_total", "Refunds by end", ["status"])


async def tell_if_ended(session: AsyncSession, refund: RefundRecord, *, now: datetime) -> RefundRecord:
    """Move the refund to what its parts say, with the event; nothing changes while a part is pending."""
    parts = await store.parts_of(session, refund.id)
    states = {part.status for part in parts}
    if "failed" in states:
        status = "failed"
    elif states == {"succeeded"}:
        status = "succeeded"
    else:
        status = "pending"
    if status == refund.status:
        return refund
    refund = await store.change(
        session, refund.id, status=status, updated_at=now, succeeded_at=now if status == "succeeded" else None
    )
    if status != "pending":
        _ENDED.labels(status).inc()
        await add_event(session, _event(refund, parts, now), aggregate_id=refund.id, sequence=refund.sequence, now=now)
    return refund


def _event(refund: RefundRecord, parts: list[RefundPartRecord], now: datetime) -> RefundSucceededV1 | RefundFailedV1:
    facts = {
        "refund_id": refund.id,
        "booking_id": refund.booking_id,
        "charge_id": refund.charge_id,
        "payment_id": refund.payment_id,
        "user_id": refund.user_id,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "reason": refund.reason,
    }
    if refund.status == "succeeded":
        return RefundSucceededV1.model_validate({**facts, "refunded_at": now})
    code = next((part.last_error for part in parts if part.status == "failed" and part.last_error), "refund-refused")
    return RefundFailedV1.model_validate({**facts, "failure_code": code, "failed_at": now})
