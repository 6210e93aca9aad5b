"""A passport's number at rest: sealed with TRAVELLER_KEYS, and beside it the form that is shown.

Nothing that reads a booking needs more than the shown form, so reading needs no key. A seal is bound to its
passenger.
"""

from typing import Final
from uuid import UUID

from rihla.encryption import DataCipher, UnreadableData

PASSPORT_NUMBER: Final = "passport-number"
_SHOWN_CHARACTERS = 3


def masked(number: str) -> str:
    """The last three characters, the others as stars; masking once more changes nothing."""
    return "*" * max(0, len(number) - _SHOWN_CHARACTERS) + number[-_SHOWN_CHARACTERS:]


def seal(cipher: DataCipher, number: str, passenger_id: UUID) -> str:
    """The sealed number as PostgreSQL writes bytes (`\\x`, then hex), which JSON can carry."""
    return "\\x" + sealed_bytes(cipher, number, passenger_id).hex()


def sealed_bytes(cipher: DataCipher, number: str, passenger_id: UUID) -> bytes:
    """The sealed number as a driver takes it."""
    return cipher.encrypt(number, what=PASSPORT_NUMBER, owner=passenger_id)


def is_same(cipher: DataCipher, sealed: str | None, number: str, passenger_id: UUID) -> bool:
    """Whether `sealed` holds this number. What cannot be read any more is another number."""
    if sealed is None:
        return False
    try:
        return cipher.decrypt(bytes.fromhex(sealed[2:]), what=PASSPORT_NUMBER, owner=passenger_id) == number
    except UnreadableData:
        return False
