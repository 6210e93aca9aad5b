"""Encryption at rest of the few fields that need it: AES-256-GCM with keys from settings, rotated by key id."""

import base64
import json
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_KEY_BYTES = 32


class UnreadableData(Exception):
    """Stored data does not decrypt: its key is missing from the settings, or the row was tampered with."""


def read_keys(text: str) -> dict[str, bytes]:
    """Key id -> 32 bytes from a JSON object of key id -> base64, in its order.

    ValueError when there is none or one has another length.
    """
    keys = {name: base64.b64decode(value) for name, value in json.loads(text).items()}
    if not keys or any(len(key) != _KEY_BYTES for key in keys.values()):
        raise ValueError(f"must be a JSON object of key id -> base64 of {_KEY_BYTES} bytes")
    return keys


class DataCipher:
    """Encrypts with the first key, decrypts with any. The context (what, whose) is authenticated, not stored."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))

    def encrypt(self, text: str, *, what: str, owner: UUID) -> bytes:
        """Key id, nonce and ciphertext in one value."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, text.encode(), _context(what, owner))
        return self._current.encode() + b"\x00" + nonce + sealed

    def decrypt(self, stored: bytes, *, what: str, owner: UUID) -> str:
        """The text. Raises UnreadableData."""
        name, _, rest = bytes(stored).partition(b"\x00")
        key = self._keys.get(name.decode("ascii", "replace"))
        if key is None:
            raise UnreadableData("the key of this value is not among the keys")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _context(what, owner)).decode()
        except InvalidTag as error:
            raise UnreadableData("this value does not decrypt") from error

    def is_current(self, stored: bytes) -> bool:
        """Whether the value is encrypted with the newest key."""
        return bytes(stored).partition(b"\x00")[0] == self._current.encode()


def _context(what: str, owner: UUID) -> bytes:
    return f"{what}\x1f{owner}".encode()
