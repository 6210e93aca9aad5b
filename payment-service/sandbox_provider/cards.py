"""What each test card does. Pure rules; numbers as in docs of the public API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Status = Literal["succeeded", "declined", "requires_action", "processing"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the issuer answers; `decline_code` only with `declined`."""

    status: Status
    decline_code: str | None = None
    message: str | None = None


_BY_NUMBER: Final[dict[str, Decision]] = {
    "4242424242424242": Decision("succeeded"),
    "4000000000000002": Decision("declined", "card_declined", "The card was declined."),
    "4000000000009995": Decision("declined", "insufficient_funds", "The card has insufficient funds."),
    "4000000000003220": Decision("requires_action"),
    "4000000000000259": Decision("processing"),
    "4000000000005126": Decision("succeeded"),
    "4000000000000069": Decision("declined", "expired_card", "The card has expired."),
}

# Payments with this card succeed; its refunds are refused, as happens when the account behind a card was closed.
REFUNDS_REFUSED_LAST4: Final = "5126"


def decide(number: str, *, exp_month: int, exp_year: int, now: datetime) -> Decision:
    """The issuer's answer to a card; a card is good until the end of its month of expiry."""
    if not luhn(number):
        return Decision("declined", "incorrect_number", "The card number is not valid.")
    if (exp_year, exp_month) < (now.year, now.month):
        return Decision("declined", "expired_card", "The card has expired.")
    return _BY_NUMBER.get(number) or Decision("declined", "test_card_required", "The sandbox knows test cards only.")


def luhn(number: str) -> bool:
    """Whether the number's check digit is right (ISO/IEC 7812-1, annex B)."""
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19:
        return False
    total = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def brand(number: str) -> str:
    """The scheme, from the first digits."""
    if number.startswith("4"):
        return "visa"
    return "mastercard" if number[:1] in ("2", "5") else "unknown"
