"""What a password must be (OWASP, ASVS 5.0 section 6.2): long enough, and not one that breaches have shown."""

import unicodedata
from collections.abc import Set
from functools import lru_cache
from importlib.resources import files

MIN_LENGTH = 8
MAX_LENGTH = 128


def normal_password(text: str) -> str:
    """The form that is hashed: NFKC, so that the same keys on another device give the same password (NIST 800-63B)."""
    return unicodedata.normalize("NFKC", text)


def password_problem(text: str, *, breached: Set[str], own_words: tuple[str, ...] = ()) -> str | None:
    """Why a password is refused, or None. No composition rules; `own_words` are the person's own address and name."""
    password = normal_password(text)
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters."
    folded = password.lower()
    if folded in breached:
        return "This password is in lists of stolen passwords; choose another."
    if len(set(folded)) < 3 or folded in {word.lower() for word in own_words if word}:
        return "This password is too easy to guess; choose another."
    return None


@lru_cache(maxsize=1)
def breached_passwords() -> frozenset[str]:
    """The offline list, lower-cased: over 16,000 passwords of eight and more characters (see the NOTICE beside it)."""
    text = files("auth_service.passwords").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.splitlines())
