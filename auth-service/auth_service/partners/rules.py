"""API keys: `rk_test_...` and `rk_live_...`, shown once, stored as a keyed hash."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_SHAPE = re.compile(r"^rk_(test|live)_([A-Za-z0-9]{8})([A-Za-z0-9]{32})$")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class KeyParts:
    """A key taken apart; `prefix` (mode and eight characters) finds the row, the hash of the whole key proves it."""

    prefix: str
    test_mode: bool


def new_api_key(*, test_mode: bool) -> str:
    """A key with 190 random bits after its public part."""
    mode = "test" if test_mode else "live"
    return f"rk_{mode}_" + "".join(secrets.choice(_ALPHABET) for _ in range(40))


def read_api_key(text: str) -> KeyParts:
    """Take a key apart. ValueError when it does not have the shape of one."""
    match = _SHAPE.match(text)
    if match is None:
        raise ValueError("not an API key")
    return KeyParts(prefix=f"rk_{match[1]}_{match[2]}", test_mode=match[1] == "test")


def api_key_hash(secret: bytes, text: str) -> bytes:
    """What is stored of a key (it has enough entropy for a fast hash)."""
    return hmac.digest(secret, text.encode(), hashlib.sha256)
