"""The one state machine of payments and their parts. Pure.

A part: `taking` -> `requires_action` | `taken` | `failed`; `requires_action` -> `taking` | `taken` | `failed`;
`taken` -> `given_back` (wallet and coins of a payment that failed); `failed` -> `taken` only when a provider reports
money after we had given the attempt up, which is then refunded.

A payment: `processing` <-> `requires_action`, and from both to `succeeded` or `failed`, which are final.
"""

from collections.abc import Iterable
from typing import Final, Literal

from payment_service.providers.interface import TakeStatus

PartStatus = Literal["taking", "requires_action", "taken", "failed", "given_back"]
PaymentStatus = Literal["processing", "requires_action", "succeeded", "failed"]

FINAL: Final = frozenset({"succeeded", "failed"})
OPEN_PARTS: Final = frozenset({"taking", "requires_action"})

_REPORTED: Final[dict[TakeStatus, PartStatus]] = {
    "processing": "taking",
    "requires_action": "requires_action",
    "succeeded": "taken",
    "failed": "failed",
}


def part_after(current: PartStatus, reported: TakeStatus) -> PartStatus:
    """The part's state after a provider's report. Reports may come twice and in any order: an end stays an end.

    The one way out of an end is `failed` -> `taken`: money that arrived after all is never ignored.
    """
    reported_as = _REPORTED[reported]
    if current in OPEN_PARTS:
        return reported_as
    if current == "failed" and reported_as == "taken":
        return "taken"
    return current


def payment_of(parts: Iterable[PartStatus]) -> PaymentStatus:
    """What the parts say about an open payment: one failure fails it, all taken make it succeed."""
    states = list(parts)
    if any(state in ("failed", "given_back") for state in states):
        return "failed"
    if all(state == "taken" for state in states):
        return "succeeded"
    return "requires_action" if "requires_action" in states else "processing"
