"""Which countries, currencies and languages exist, and what a passport must satisfy."""

from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies

PASSPORT_NUMBER = r"^[A-Z0-9]{5,15}$"


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes."""
    names = [str(code) for code in Locale("en").territories]
    # CLDR lists a few groupings and private codes of two letters beside the countries.
    return frozenset(code for code in names if len(code) == 2 and code.isalpha()) - {
        "EU",
        "EZ",
        "UN",
        "ZZ",
        "XA",
        "XB",
        "QO",
    }


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """ISO 4217 codes."""
    return frozenset(list_currencies())


def normal_locale(tag: str) -> str:
    """A BCP 47 tag in its usual spelling (`en`, `bn-BD`). ValueError for a language nobody knows."""
    try:
        return str(Locale.parse(tag.strip(), sep="-")).replace("_", "-")
    except (UnknownLocaleError, ValueError, TypeError) as error:
        raise ValueError("not a BCP 47 language tag") from error


def passport_problem(*, expires_on: date, today: date) -> str | None:
    """Why a passport is refused, or None."""
    return "A passport that has expired cannot be saved." if expires_on <= today else None


def birth_date_problem(born: date, today: date) -> str | None:
    """Why a date of birth is refused, or None."""
    if born > today:
        return "A date of birth lies in the past."
    return "A date of birth lies within the last 130 years." if today.year - born.year > 130 else None
