"""Money, local times and places as a reader of one language writes them."""

import re
from datetime import datetime
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import airportsdata
from babel.dates import format_datetime
from babel.numbers import format_currency

from rihla.kernel import Money

_CODE_BESIDE_DIGITS = re.compile(r"(?<=[A-Z]{3})(?=\d)")
_COINS = {"XRC", "COIN", "COINS", "POINTS"}


def money_in(language: str, amount_minor: int, currency: str) -> str:
    """`US$612.40`, `612,40 ...`: the amount as the language writes it, with exactly the currency's digits."""
    decimal = Decimal(Money(amount_minor, currency).decimal())
    if currency in _COINS:
        return f"{decimal} {currency}"
    written = str(format_currency(decimal, currency, locale=language, currency_digits=True)).replace("\u00a0", " ")
    return _CODE_BESIDE_DIGITS.sub(" ", written)


def local_time_in(language: str, at: datetime) -> str:
    """Day and time in the zone the instant carries, which for flights is the airport's own."""
    pattern = "EEE d MMM y, HH:mm"
    return str(format_datetime(at, pattern, locale=language))


def utc_time_in(language: str, at: datetime) -> str:
    """Day and time in UTC, said so."""
    return f"{format_datetime(at.astimezone(ZoneInfo('UTC')), 'd MMM y, HH:mm', locale=language)} UTC"


@cache
def _airports() -> dict[str, tuple[str, str]]:
    return {code: (one["city"] or one["name"], one["tz"]) for code, one in airportsdata.load("IATA").items()}


def place_name(iata: str) -> str:
    """`Dhaka (DAC)`."""
    city = _airports().get(iata, ("", ""))[0]
    return f"{city} ({iata})" if city else iata


def at_airport(at: datetime, iata: str) -> datetime:
    """The instant in the airport's time zone; unchanged when the airport is unknown."""
    zone = _airports().get(iata, ("", ""))[1]
    return at.astimezone(ZoneInfo(zone)) if zone else at
