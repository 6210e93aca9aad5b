"""Record what a provider said about a refund: from its answer, its webhook or a question asked later."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store as payments
from payment_service.providers.interface import RefundOutcome
from payment_service.refunds import store
from payment_service.refunds.pay_back import pay_back_outside, take_back_outside
from payment_service.refunds.records import RefundPartRecord
from payment_service.refunds.telling import tell_if_ended
from rihla.kernel import new_id
from rihla.telemetry import get_logger

_log = get_logger(__name__)


async def record_refund(
    session: AsyncSession, provider_key: UUID, outcome: RefundOutcome, *, now: datetime
) -> RefundPartRecord | None:
    """Apply an outcome once; None for an unknown key. Reports may repeat and arrive in any order.

    A success the provider takes back (banks return refunds to closed accounts) opens the refund again, as failed, for
    operations to send another way.
    """
    found = await store.find_part(session, provider_key)
    if found is None:
        return None
    refund = await store.find(session, found.refund_id, lock=True)
    part = await store.find_part(session, provider_key)
    assert refund is not None  # the foreign key holds them together
    if part is None or part.kind != "card" or outcome.status == "processing" or outcome.status == part.status:
        return part or found
    paid = await payments.find_part(session, key=part.payment_part_id)
    assert paid is not None
    assert paid.provider is not None
    if outcome.status == "succeeded":
        await pay_back_outside(session, refund, part, provider=paid.provider, now=now)
        values: dict[str, object] = {"status": "succeeded", "provider_reference": outcome.reference, "last_error": None}
    else:
        code = (outcome.failure_code or "refund-refused").replace("_", "-")
        values = {"status": "failed", "provider_reference": outcome.reference, "last_error": code}
        if part.status == "succeeded":
            await take_back_outside(session, refund, part, provider=paid.provider, now=now)
            # The old key would only repeat the old answer.
            values |= {"provider_key": new_id(), "provider_reference": None}
            _log.error("refund_reversed", refund_id=str(refund.id), provider=paid.provider, code=code)
    part = await store.change_part(session, part.id, **values)
    await tell_if_ended(session, refund, now=now)
    return part
