"""Signing secrets at rest: sealed with a key from the settings, each bound to its endpoint."""

from uuid import UUID

from rihla.encryption import DataCipher

SECRET = "webhook signing secret"


def seal(cipher: DataCipher, secret: str, endpoint_id: UUID) -> bytes:
    """What is stored."""
    return cipher.encrypt(secret, what=SECRET, owner=endpoint_id)


def unseal(cipher: DataCipher, sealed: bytes, endpoint_id: UUID) -> str:
    """The secret. Raises UnreadableData."""
    return cipher.decrypt(sealed, what=SECRET, owner=endpoint_id)
