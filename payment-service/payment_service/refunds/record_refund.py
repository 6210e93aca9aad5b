"""Record what a provider said about a refund: from its answer, its webhook or a question asked later."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store as payments
from payment_service.providers.interface import RefundOutcome
from payment_service.refunds import store
from payment_service.refunds.pay_back import pay_back_outside
from payment_service.refunds.records import RefundPartRecord
from payment_service.refunds.telling import tell_if_ended


async def record_refund(
    session: AsyncSession, part_id: UUID, outcome: RefundOutcome, *, now: datetime
) -> RefundPartRecord | None:
    """Apply an outcome once; None for an unknown part. Reports may repeat and arrive in any order."""
    found = await store.find_part(session, part_id)
    if found is None:
        return None
    refund = await store.find(session, found.refund_id, lock=True)
    part = await store.find_part(session, part_id)
    assert refund is not None  # the foreign key holds them together
    assert part is not None
    if part.kind != "card" or outcome.status == "processing":
        return part
    if outcome.status == "failed" and part.status != "pending":
        return part
    if outcome.status == "succeeded" and part.status == "succeeded":
        return part
    if outcome.status == "succeeded":
        paid = await payments.find_part(session, key=part.payment_part_id)
        assert paid is not None
        assert paid.provider is not None
        await pay_back_outside(session, refund, part, provider=paid.provider, now=now)
        values = {"status": "succeeded", "provider_reference": outcome.reference, "last_error": None}
    else:
        code = (outcome.failure_code or "refund-refused").replace("_", "-")
        values = {"status": "failed", "provider_reference": outcome.reference, "last_error": code}
    part = await store.change_part(session, part_id, **values)
    await tell_if_ended(session, refund, now=now)
    return part
