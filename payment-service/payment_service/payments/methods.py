"""From a way of paying to the parts that are taken. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from payment_service.payments.errors import MethodNotAccepted
from payment_service.providers.interface import Card
from rihla.kernel import Money

Kind = Literal["card", "wallet", "coins"]


@dataclass(frozen=True, slots=True)
class Source:
    """One way to take money; `card` and `token` are for the provider's ears only."""

    kind: Kind
    provider: str | None = None
    card: Card | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    saved_method_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """What the caller chose: one source for everything, or amounts for several."""

    type: Literal["card", "wallet", "coins", "split"]
    sources: tuple[Source, ...]
    amounts: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One part to take; `coins` only for coins."""

    source: Source
    amount_minor: int
    coins: int | None = None


def plan_parts(method: Method, total: Money, coin_values: Mapping[str, int]) -> list[PlannedPart]:
    """The parts that make up exactly `total`, wallet and coins first so that a card is touched last.

    `coin_values` is what one coin is worth in minor units of each currency. Raises MethodNotAccepted.
    """
    amounts = [total] if method.type != "split" else list(method.amounts)
    _check_amounts(amounts, total)
    parts = [
        PlannedPart(source, money.amount_minor, _coins(source, money, coin_values))
        for source, money in zip(method.sources, amounts, strict=True)
    ]
    _check_once(parts)
    return sorted(parts, key=lambda part: part.source.kind == "card")


def _check_amounts(amounts: Sequence[Money], total: Money) -> None:
    if any(money.currency != total.currency for money in amounts):
        raise MethodNotAccepted(f"Every part must be in {total.currency}, the currency of the charge.")
    if any(money.amount_minor <= 0 for money in amounts):
        raise MethodNotAccepted("Every part must be more than zero.")
    given = sum(money.amount_minor for money in amounts)
    if given != total.amount_minor:
        stated = Money(given, total.currency)
        raise MethodNotAccepted(f"The parts add up to {stated}; the charge is {total}.", due=total.decimal())


def _check_once(parts: Sequence[PlannedPart]) -> None:
    internal = [part.source.kind for part in parts if part.source.kind != "card"]
    if len(internal) != len(set(internal)):
        raise MethodNotAccepted("Wallet and coins can each be one part only.")


def _coins(source: Source, money: Money, coin_values: Mapping[str, int]) -> int | None:
    """Coins that cover the amount, rounded up to a whole coin."""
    if source.kind != "coins":
        return None
    value = coin_values.get(money.currency)
    if not value:
        raise MethodNotAccepted(f"Coins cannot pay a charge in {money.currency}.")
    return -(-money.amount_minor // value)


def coins_to_return(coins: int, amount_minor: int, already_minor: int, back_minor: int) -> int:
    """Coins for a refund of `back_minor` after `already_minor`; repeated refunds return all coins in the end."""
    return coins * (already_minor + back_minor) // amount_minor - coins * already_minor // amount_minor
