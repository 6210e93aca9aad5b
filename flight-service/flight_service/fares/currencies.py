"""Conversion from USD, the currency fares are kept in. Integers only; one rounding, half up, to the ISO 4217 digits."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from rihla.kernel import DomainError, currency_digits

MICRO = 1_000_000
BASE_CURRENCY = "USD"


class CurrencyUnknown(DomainError):
    """No rate is loaded for the currency."""


class RatesInvalid(DomainError):
    """The rate table cannot be read."""


@dataclass(frozen=True, slots=True)
class CurrencyRates:
    """One version of the rate table: millionths of a unit for one USD."""

    version: int
    micro: Mapping[str, int]

    def scale(self, currency: str) -> int:
        """Minor units of `currency` for one USD cent, in 10^-8. Raises CurrencyUnknown."""
        rate = self.micro.get(currency)
        if rate is None:
            known = ", ".join(sorted(self.micro))
            raise CurrencyUnknown(f"Prices are offered in {known}.", currency=currency)
        return int(rate * 10 ** currency_digits(currency))

    def convert(self, usd_cents: int, currency: str) -> int:
        """`usd_cents` in minor units of `currency`."""
        return half_up(usd_cents * self.scale(currency), SCALE_UNIT)


SCALE_UNIT = 100 * MICRO
"""What `CurrencyRates.scale` is divided by."""


def half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest integer, ties away from zero. `denominator` is positive."""
    if numerator < 0:
        return -((-2 * numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def read_rates(version: int, document: Mapping[str, str]) -> CurrencyRates:
    """Read a table of decimal strings (`{"EUR": "0.92"}`). Raises RatesInvalid. USD is always 1."""
    micro = {BASE_CURRENCY: MICRO}
    for code, text in document.items():
        try:
            value = Decimal(text) * MICRO
        except (InvalidOperation, TypeError) as error:
            raise RatesInvalid(f"The rate of {code} is not a decimal number.", pointer=f"/rates/{code}") from error
        if len(code) != 3 or not code.isalpha() or not code.isupper():
            raise RatesInvalid(f"{code!r} is not an ISO 4217 code.", pointer=f"/rates/{code}")
        if not value.is_finite() or not 1 <= value <= 10**13 or value != value.to_integral_value():
            raise RatesInvalid(
                f"The rate of {code} must be positive, with six decimals at most.", pointer=f"/rates/{code}"
            )
        if code == BASE_CURRENCY and value != MICRO:
            raise RatesInvalid("USD is the base: its rate is 1.", pointer="/rates/USD")
        micro[code] = int(value)
    return CurrencyRates(version, micro)
