"""Money is an integer in minor units beside its ISO 4217 currency; never a float."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

# ISO 4217, table A.1: currencies whose minor unit is not two digits. All others have two.
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS = dict.fromkeys(_NO_DIGITS.split(), 0) | dict.fromkeys(_THREE_DIGITS.split(), 3) | {"CLF": 4, "UYW": 4}


def currency_digits(currency: str) -> int:
    """How many decimals ISO 4217 gives the currency (JPY 0, USD 2, KWD 3)."""
    return _DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of one currency; it may be negative (a discount, a fee taken off)."""

    amount_minor: int
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read a decimal string with at most the currency's digits; ValueError otherwise."""
        try:
            scaled = Decimal(amount).scaleb(currency_digits(currency))
        except InvalidOperation as error:
            raise ValueError(f"{amount!r} is not a decimal amount") from error
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            raise ValueError(f"{amount!r} has more decimals than {currency} allows")
        return cls(int(scaled), currency)

    def decimal(self) -> str:
        """The amount with exactly the digits ISO 4217 gives: `612.40` for USD, `612` for JPY."""
        return format_minor(self.amount_minor, self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount_minor - self._same(other), self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return other.amount_minor

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"


def format_minor(amount_minor: int, currency: str) -> str:
    """`amount_minor` as a decimal string with the currency's digits."""
    digits = currency_digits(currency)
    if digits == 0:
        return str(amount_minor)
    sign = "-" if amount_minor < 0 else ""
    whole, fraction = divmod(abs(amount_minor), 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}d}"


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units by `weights` so that the parts sum to it exactly (largest remainder, first wins a tie).

    Weights must not be negative; when all are zero the split is even. ValueError for no weights.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("weights must be present and not negative")
    if not any(weights):
        weights = [1] * len(weights)
    sign = -1 if total < 0 else 1
    whole = sum(weights)
    parts = [abs(total) * weight // whole for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(abs(total) * weights[i] % whole), i))
    for index in remainders[: abs(total) - sum(parts)]:
        parts[index] += 1
    return [sign * part for part in parts]
