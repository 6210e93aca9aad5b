"""What auth-service encrypts at rest is encrypted as everywhere (`rihla.encryption`); and what lists show of it."""

from rihla.encryption import DataCipher, UnreadableData

__all__ = ["DataCipher", "UnreadableData", "masked"]


def masked(text: str) -> str:
    """All but the last three characters hidden, for lists."""
    return "\u2022" * max(0, len(text) - 3) + text[-3:]
