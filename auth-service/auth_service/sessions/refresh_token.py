"""Refresh tokens: an HMAC over family and generation, so that a pair can be given again and only hashes are stored."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

_PREFIX = "rt_"
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """Which family (a session) and which generation of it a token belongs to."""

    family: UUID
    generation: int


def encode_refresh_token(secret: bytes, token: RefreshToken) -> str:
    """The text a client keeps; the same for the same family and generation."""
    body = token.family.bytes + token.generation.to_bytes(4, "big")
    return _PREFIX + base64.urlsafe_b64encode(body + _mac(secret, body)).rstrip(b"=").decode()


def decode_refresh_token(secret: bytes, text: str) -> RefreshToken:
    """The family and generation of a token we made. ValueError for anything else, without a look at any storage."""
    if not text.startswith(_PREFIX) or len(text) > 120:
        raise ValueError("not a refresh token")
    encoded = text.removeprefix(_PREFIX)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not a refresh token") from error
    body, mac = raw[:20], raw[20:]
    if len(mac) != _MAC_BYTES or not hmac.compare_digest(mac, _mac(secret, body)):
        raise ValueError("not a refresh token")
    return RefreshToken(UUID(bytes=body[:16]), int.from_bytes(body[16:], "big"))


def token_hash(text: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(text.encode()).digest()


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, b"rihla-refresh\x00" + body, hashlib.sha256)
