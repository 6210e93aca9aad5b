"""Open a refund inside the caller's transaction: reserve it on the parts, give back what is ours to give at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger import accounts
from payment_service.ledger.post import post
from payment_service.ledger.posting import Posting, transfer
from payment_service.payments.methods import coins_to_return
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.refunds import store
from payment_service.refunds.pay_back import pay_back_inside
from payment_service.refunds.records import RefundPartRecord, RefundRecord
from payment_service.refunds.rules import spread
from payment_service.refunds.telling import tell_if_ended
from rihla.kernel import Money, new_id


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """How much goes back, why, and who asked."""

    id: UUID
    amount_minor: int
    reason: str
    note: str | None = None
    actor_id: UUID | None = None


async def open_refund(
    session: AsyncSession,
    payment: PaymentRecord,
    parts: Sequence[PartRecord],
    request: RefundRequest,
    *,
    now: datetime,
) -> tuple[RefundRecord, list[RefundPartRecord]]:
    """Store the refund, spread pro rata over the parts. The payment's row is locked by the caller.

    The money moves to the in-flight account at once, so that what is owed shows; wallet and coins parts end here, card
    parts wait for their provider. The parts are of one currency. Raises RefundExceedsCaptured, InsufficientFunds (a
    spent top-up).
    """
    currency = parts[0].currency
    shares = dict(
        spread(
            Money(request.amount_minor, currency),
            [(part.id, part.left_minor) for part in parts if part.status == "taken"],
        )
    )
    refund, refund_parts = await store.insert_refund(
        session,
        {
            "id": request.id,
            "payment_id": payment.id,
            "user_id": payment.user_id,
            "booking_id": payment.booking_id,
            "charge_id": payment.charge_id,
            "amount_minor": request.amount_minor,
            "currency": currency,
            "reason": request.reason,
            "note": request.note,
            "actor_id": request.actor_id,
            "status": "pending",
            "created_at": now,
            "updated_at": now,
        },
        [_part_values(request.id, part, shares[part.id], now) for part in parts if part.id in shares],
    )
    for part_id, share in sorted(shares.items()):
        await store.take_from_part(session, part_id, share)
    if payment.status == "succeeded":
        lines = transfer(payment.target, accounts.in_flight(currency), request.amount_minor)
        await post(session, Posting(f"refund:{request.id}:opened", "refund_opened", lines, request.id), now=now)
    refund_parts = [
        part if part.kind == "card" else await pay_back_inside(session, refund, part, now=now) for part in refund_parts
    ]
    return await tell_if_ended(session, refund, now=now), refund_parts


def _part_values(refund_id: UUID, part: PartRecord, share: int, now: datetime) -> dict[str, object]:
    coins = None
    if part.coins is not None:
        coins = coins_to_return(part.coins, part.amount_minor, part.refunded_minor, share)
    part_id = new_id()
    return {
        "id": part_id,
        "provider_key": part_id,
        "refund_id": refund_id,
        "payment_part_id": part.id,
        "kind": part.kind,
        "amount_minor": share,
        "currency": part.currency,
        "coins": coins,
        "status": "pending",
        "next_attempt_at": now,
    }
