"""Refunds on their way: ask payment-service for them, and write down how they ended."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.errands import Errand
from booking_service.bookings.payment_client import RefundAnswer, RefundRefused
from booking_service.bookings.store import add_timeline, finish_errand
from booking_service.bootstrap import Container
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from rihla.telemetry import Counter, get_logger

REFUNDS = Counter("rihla_booking_refunds_total", "Refunds by outcome", ["outcome"])
log = get_logger("refunds")

_ASKED = text("SELECT r.*, b.user_id FROM refund r JOIN booking b ON b.id = r.booking_id WHERE r.id = :id")
# A refund that succeeded stays so, whatever is told later; one that failed may still succeed.
_SETTLE = text(
    "UPDATE refund SET state = CAST(:state AS text), "
    "settled_at = CASE WHEN CAST(:state AS text) IN ('succeeded', 'failed') THEN CAST(:now AS timestamptz) END "
    "WHERE id = :id AND state <> 'succeeded' AND state <> CAST(:state AS text) "
    "RETURNING booking_id, amount_minor, currency"
)
_DESTINATIONS = text("UPDATE refund SET destinations = CAST(:destinations AS jsonb) WHERE id = :id")


async def settle_refund(session: AsyncSession, refund_id: UUID, state: str, *, now: datetime) -> None:
    """Note how far a refund is (`pending`, `succeeded`, `failed`); its receipt is made once it succeeded. Repeats
    change nothing.
    """
    moved = (await session.execute(_SETTLE, {"id": refund_id, "state": state, "now": now})).one_or_none()
    if moved is None:
        return
    REFUNDS.labels(state).inc()
    await add_timeline(
        session,
        moved.booking_id,
        f"refund_{state}",
        actor="payment",
        now=now,
        refund_id=refund_id,
        amount_minor=moved.amount_minor,
        currency=moved.currency,
    )
    if state == "succeeded":
        await request_documents(
            session,
            moved.booking_id,
            [DocumentKind.REFUND_RECEIPT],
            now=now,
            cause="cancelled",
            refund_id=refund_id,
        )


async def ask_for_refund(c: Container, errand: Errand) -> None:
    """The errand `request_refund`: PUT the refund under its id until payment-service answers."""
    refund_id = errand.uuid("refund_id")
    async with c.db.transaction() as session:
        row = (await session.execute(_ASKED, {"id": refund_id})).one()
    try:
        answer = await c.payments.put_refund(refund_id, _question(row))
    except RefundRefused as refused:
        log.error("refund_refused", refund_id=str(refund_id), reason=refused.detail)
        answer = RefundAnswer(status="failed")
    now = c.clock.now()
    async with c.db.transaction() as session:
        destinations = json.dumps(list(answer.destinations))
        await session.execute(_DESTINATIONS, {"id": refund_id, "destinations": destinations})
        await settle_refund(session, refund_id, answer.status, now=now)
        await finish_errand(session, errand.id)


def _question(row: Any) -> dict[str, Any]:
    return {
        "booking_id": row.booking_id,
        "charge_id": row.charge_id,
        # Named when the payment was never applied to the charge; else payment-service finds the one that paid it.
        "payment_id": row.payment_id,
        "user_id": row.user_id,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "reason": row.reason,
    }
