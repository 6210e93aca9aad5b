"""Money, local times and places as a reader of one language writes them."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import airportsdata
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency

from rihla.kernel import Money

_CODE_BESIDE_DIGITS = re.compile(r"(?<=[A-Z]{3})(?=\d)")
_COINS = {"XRC", "COIN", "COINS", "POINTS"}


@lru_cache(maxsize=4096)
def money_in(language: str, amount_minor: int, currency: str) -> str:
    """`US$612.40`, `612,40 ...`: the amount as the language writes it, with exactly the currency's digits."""
    decimal = Decimal(Money(amount_minor, currency).decimal())
    if currency in _COINS:
        return f"{decimal} {currency}"
    written = str(format_currency(decimal, currency, locale=language, currency_digits=True)).replace("\u00a0", " ")
    return _CODE_BESIDE_DIGITS.sub(" ", written)


@lru_cache(maxsize=4096)
def local_time_in(language: str, at: datetime) -> str:
    """Day and time in the zone the instant carries, which for flights is the airport's own."""
    pattern = "EEE d MMM y, HH:mm"
    return str(format_datetime(at, pattern, locale=language))


def day_in(language: str, day: date) -> str:
    """A day without a time, as a passport has it."""
    return str(format_date(day, "d MMMM y", locale=language))


def country_in(language: str, code: str) -> str:
    """A country's name; its code when the language has no name for it."""
    return str(Locale(language).territories.get(code, code))


def utc_time_in(language: str, at: datetime) -> str:
    """Day and time in UTC, said so."""
    return f"{format_datetime(at.astimezone(ZoneInfo('UTC')), 'd MMM y, HH:mm', locale=language)} UTC"


@cache
def _airports() -> dict[str, tuple[str, str]]:
    return {code: (one["city"] or one["name"], one["tz"]) for code, one in airportsdata.load("IATA").items()}


@lru_cache(maxsize=16_384)
def place_name(iata: str) -> str:
    """`Dhaka (DAC)`."""
    city = _airports().get(iata, ("", ""))[0]
    return f"{city} ({iata})" if city else iata


def at_airport(at: datetime, iata: str) -> datetime:
    """The instant in the airport's time zone; unchanged when the airport is unknown."""
    zone = _airports().get(iata, ("", ""))[1]
    return at.astimezone(ZoneInfo(zone)) if zone else at
