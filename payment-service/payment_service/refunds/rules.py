"""How a refund is spread over the ways the money came. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from payment_service.refunds.errors import RefundExceedsCaptured
from rihla.kernel import Money, apportion

ATTEMPTS: Final = 12
_LONGEST_PAUSE: Final = timedelta(hours=6)


def spread(amount: Money, left: Sequence[tuple[UUID, int]]) -> list[tuple[UUID, int]]:
    """(part, amount) pro rata to what is left of each part, to the minor unit; parts that get nothing are left out.

    Raises RefundExceedsCaptured when the parts hold less than `amount`.
    """
    available = sum(minor for _, minor in left)
    if amount.amount_minor > available:
        raise RefundExceedsCaptured(
            f"At most {Money(available, amount.currency)} of this payment can still be refunded.",
            refundable_minor=available,
        )
    shares = apportion(amount.amount_minor, [minor for _, minor in left])
    return [(part_id, share) for (part_id, _), share in zip(left, shares, strict=True) if share]


def pause_after(attempts: int) -> timedelta:
    """2 s, 4 s, 8 s, ... up to six hours between attempts at a silent provider."""
    return min(timedelta(seconds=2.0 ** min(attempts, 20)), _LONGEST_PAUSE)
