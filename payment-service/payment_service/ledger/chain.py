"""The hash chain over postings: each link covers its posting, its entries and the link before it (SHA-256)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry as the chain sees it."""

    id: int
    account_id: UUID
    unit: str
    amount: int
    balance_after: int | None


@dataclass(frozen=True, slots=True)
class SealedPosting:
    """A posting as the chain sees it."""

    id: UUID
    key: str
    kind: str
    reference_id: UUID | None
    actor_id: UUID | None
    reason: str | None
    posted_at: datetime
    entries: Sequence[SealedEntry]


def link_hash(previous: bytes, position: int, posting: SealedPosting) -> bytes:
    """The hash of link `position`; any change to the posting, its entries or an earlier link changes it."""
    canonical = json.dumps(
        [
            position,
            str(posting.id),
            posting.key,
            posting.kind,
            str(posting.reference_id or ""),
            str(posting.actor_id or ""),
            posting.reason or "",
            posting.posted_at.astimezone(UTC).isoformat(timespec="microseconds"),
            [
                [entry.id, str(entry.account_id), entry.unit, entry.amount, entry.balance_after]
                for entry in sorted(posting.entries, key=lambda entry: entry.id)
            ],
        ],
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(previous + canonical.encode()).digest()
