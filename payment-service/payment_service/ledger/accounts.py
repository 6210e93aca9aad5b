"""The chart of accounts.

Sign convention: an amount is positive when the account's claim on us grows (a credit). A wallet's balance is therefore
what we owe its owner, and a provider's clearing account is negative while the provider still holds money for us.

User accounts (`wallet`, `coins`, `points`) carry a cached balance that may not fall below zero. System accounts carry
none: their balance is the sum of their entries, so that no clearing account becomes a hot row.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

COIN: Final = "COIN"
POINT: Final = "POINT"

USER_KINDS: Final = frozenset({"wallet", "coins", "points"})

# Fixed forever: account ids are derived from it, so that posting needs no look-up.
_NAMESPACE: Final = UUID("5b6f8f8e-3c0b-5a51-9e0b-6a2f6c1d7a10")


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """One account of one unit; `owner_id` is the user for user kinds and None for system accounts."""

    kind: str
    unit: str
    owner_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.kind in USER_KINDS) != (self.owner_id is not None):
            raise ValueError(f"account kind {self.kind!r} and its owner do not belong together")

    @property
    def id(self) -> UUID:
        """The same id for the same kind, unit and owner, everywhere and always."""
        if self.owner_id is None:
            return _system_id(self.kind, self.unit)
        return uuid5(_NAMESPACE, f"{self.kind}|{self.unit}|{self.owner_id}")

    @property
    def cached(self) -> bool:
        """Whether the balance is kept with the account (user accounts) or derived from entries (system accounts)."""
        return self.owner_id is not None


@lru_cache(maxsize=1024)
def _system_id(kind: str, unit: str) -> UUID:
    """Of the few accounts that half of all lines are on."""
    return uuid5(_NAMESPACE, f"{kind}|{unit}|")


def wallet(user_id: UUID, currency: str) -> Account:
    """A person's money with us."""
    return Account("wallet", currency, user_id)


def coins(user_id: UUID) -> Account:
    """A person's virtual coins."""
    return Account("coins", COIN, user_id)


def points(user_id: UUID) -> Account:
    """A person's loyalty points."""
    return Account("points", POINT, user_id)


def provider(name: str, currency: str) -> Account:
    """Money a payment provider has collected and not yet paid out to us."""
    return Account(f"provider:{name}", currency)


def charges(currency: str) -> Account:
    """What travellers have paid for bookings."""
    return Account("charges", currency)


def subscriptions(currency: str) -> Account:
    """What travellers have paid for subscription periods."""
    return Account("subscriptions", currency)


def in_flight(unit: str) -> Account:
    """Taken for a payment that has not reached its end yet; given back when the payment fails."""
    return Account("in_flight", unit)


def coin_issue() -> Account:
    """The other side of granted and expired coins."""
    return Account("coin_issue", COIN)


def coins_redeemed() -> Account:
    """Coins that have paid for something."""
    return Account("coins_redeemed", COIN)


def coin_funding(currency: str) -> Account:
    """What redeemed coins cost us, in money."""
    return Account("coin_funding", currency)


def adjustments(unit: str) -> Account:
    """The other side of a correction made by an administrator with a reason."""
    return Account("adjustments", unit)
