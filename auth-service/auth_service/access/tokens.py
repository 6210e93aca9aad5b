"""Access tokens: ES256 JWTs of ten minutes, verified by gateways through the JWKS (RFC 9068, RFC 8725)."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jose import jws
from jose.backends.cryptography_backend import CryptographyECKey
from jose.constants import ALGORITHMS

TOKEN_TYPE = "at+jwt"
AUDIENCE = "rihla"
_COORDINATE_BYTES = 32


class _RepeatableKey(CryptographyECKey):
    """An ES256 key whose signatures are deterministic (RFC 6979), so that a repeated refresh gives the same token."""

    def sign(self, msg: bytes) -> bytes:
        signature = self.prepared_key.sign(msg, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(signature)
        return r.to_bytes(_COORDINATE_BYTES, "big") + s.to_bytes(_COORDINATE_BYTES, "big")


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """What an access token says about its bearer. `second_factor_at`: when the session last proved a second factor,
    Unix seconds, 0 for never; None, and then no claim, where two-factor sign-in is off."""

    user_id: UUID
    session_id: UUID
    roles: tuple[str, ...]
    second_factor_at: int | None = None


class AccessTokens:
    """Mints access tokens with prebuilt keys; the first key signs, all are published."""

    def __init__(self, keys: Sequence[dict[str, Any]], *, issuer: str, lifetime: timedelta) -> None:
        if not keys:
            raise ValueError("at least one signing key is needed")
        self._kid = str(keys[0]["kid"])
        self._key = _RepeatableKey(keys[0], ALGORITHMS.ES256)
        self._issuer = issuer
        self.lifetime = lifetime
        self.jwks: dict[str, list[dict[str, str]]] = {"keys": [public_jwk(key) for key in keys]}

    def mint(self, subject: TokenSubject, *, issued_at: datetime, generation: int) -> str:
        """The token of one generation of a session: the same arguments give the same text."""
        issued = int(issued_at.timestamp())
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(subject.user_id),
            "sid": str(subject.session_id),
            "roles": sorted(subject.roles),
            "iat": issued,
            "exp": issued + int(self.lifetime.total_seconds()),
            "jti": hashlib.sha256(f"{subject.session_id}.{generation}.{issued}".encode()).hexdigest()[:32],
        }
        if subject.second_factor_at is not None:
            claims["second_factor_at"] = subject.second_factor_at
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return str(
            jws.sign(payload, self._key, headers={"kid": self._kid, "typ": TOKEN_TYPE}, algorithm=ALGORITHMS.ES256)
        )


def public_jwk(key: dict[str, Any]) -> dict[str, str]:
    """The half of a private JWK that may be published."""
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": str(key["x"]),
        "y": str(key["y"]),
        "kid": str(key["kid"]),
        "use": "sig",
        "alg": "ES256",
    }


def generate_jwk(kid: str) -> dict[str, Any]:
    """A new P-256 private key."""
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = numbers.public_numbers
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": kid,
        "x": _encode(public.x),
        "y": _encode(public.y),
        "d": _encode(numbers.private_value),
    }


def _encode(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES, "big")).rstrip(b"=").decode()
