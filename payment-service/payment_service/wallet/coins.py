"""Which lots a number of coins comes from, and where returned coins go. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

# Coins that come back from a refund after their lot has expired are good for at least this long.
GRACE_FOR_RETURNED: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Lot:
    """Coins granted together; `remaining` of them are left until `expires_at`."""

    id: UUID
    remaining: int
    expires_at: datetime


def choose_lots(lots: Sequence[Lot], coins: int) -> list[tuple[UUID, int]] | None:
    """(lot, coins) that make up `coins`, what expires first going first; None when there are not enough."""
    chosen: list[tuple[UUID, int]] = []
    for lot in sorted(lots, key=lambda lot: (lot.expires_at, lot.id)):
        if coins == 0:
            break
        taken = min(lot.remaining, coins)
        chosen.append((lot.id, taken))
        coins -= taken
    return chosen if coins == 0 else None


def returned_expiry(original: datetime, now: datetime) -> datetime:
    """Returned coins keep their expiry, but never have less than the grace period left."""
    return max(original, now + GRACE_FOR_RETURNED)
