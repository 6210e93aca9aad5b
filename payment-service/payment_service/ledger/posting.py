"""A posting: lines that move value between accounts and sum to zero in every unit."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from payment_service.ledger.accounts import Account


class UnbalancedPosting(ValueError):
    """A posting whose lines do not sum to zero per unit: a mistake of ours, never of a caller."""


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` in minor units (or whole coins, points); positive credits the account."""

    account: Account
    amount: int


@dataclass(frozen=True, slots=True)
class Posting:
    """What is written at once. `key` names the fact: posting the same key again changes nothing."""

    key: str
    kind: str
    lines: tuple[Line, ...]
    reference_id: UUID | None = None
    actor_id: UUID | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if len(self.lines) < 2 or any(line.amount == 0 for line in self.lines):
            raise UnbalancedPosting(f"{self.key}: a posting needs two lines or more, none of them zero")
        wrong = {unit: total for unit, total in totals(self.lines).items() if total}
        if wrong:
            raise UnbalancedPosting(f"{self.key}: lines sum to {wrong}, not to zero")


def totals(lines: Iterable[Line]) -> dict[str, int]:
    """Sum of the lines per unit."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.account.unit] += line.amount
    return dict(sums)


def transfer(source: Account, target: Account, amount: int) -> tuple[Line, Line]:
    """Two lines that move a positive `amount` from one account to another of the same unit."""
    if amount <= 0:
        raise UnbalancedPosting(f"a transfer of {amount} moves nothing")
    return Line(source, -amount), Line(target, amount)


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines on the same account joined into one, zero sums dropped, in account order (the locking order)."""
    sums: dict[Account, int] = defaultdict(int)
    for line in lines:
        sums[line.account] += line.amount
    return tuple(Line(account, sums[account]) for account in sorted(sums, key=lambda a: a.id) if sums[account])
