"""Amounts of any unit as the API shows them: money with its ISO 4217 digits, coins and points as whole numbers."""

from typing import Final

from payment_service.ledger.accounts import COIN, POINT
from rihla.kernel import Money
from rihla.web import MoneyModel

COUNTED: Final = frozenset({COIN, POINT})


def shown(amount: int, unit: str) -> MoneyModel:
    """`amount` of `unit` on the wire."""
    if unit in COUNTED:
        return MoneyModel(amount=str(amount), currency=unit)
    return MoneyModel.of(amount, unit)


def parsed(amount: str, unit: str) -> int:
    """A decimal string of `unit` as an integer, negative allowed. Raises ValueError."""
    if unit in COUNTED:
        return int(amount)
    return Money.parse(amount, unit).amount_minor
