"""Access tokens: one algorithm, one shape (RFC 8725, RFC 9068). `python-jose` stays behind this module."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from jose import jwk
from jose.constants import ALGORITHMS
from jose.exceptions import JOSEError

from gateway.identity.caller import Caller
from rihla.auth import Principal
from rihla.auth.principal import proof_time

TOKEN_TYPE = "at+jwt"
LONGEST = 4096
"""Characters; auth-service's tokens are about 600."""
ROLES = frozenset({"traveller", "partner", "support", "admin"})
_KEY_HINTS = frozenset({"jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc"})
_CLOCK_SKEW = 5.0


class NotAccepted(Exception):
    """The token is not one we take; the reason is for the log, never for the caller."""


class UnknownKey(NotAccepted):
    """Well formed, but signed with a key not seen yet."""


class PublicKey:
    """One ES256 verification key, prebuilt. ValueError when the JWK is something else."""

    def __init__(self, key: dict[str, Any]) -> None:
        if key.get("kty") != "EC" or key.get("crv") != "P-256" or key.get("alg", "ES256") != "ES256":
            raise ValueError("not an ES256 key")
        if key.get("use", "sig") != "sig" or "d" in key:
            raise ValueError("not a public signing key")
        try:
            self._key = jwk.construct(key, ALGORITHMS.ES256)
        except JOSEError as error:
            raise ValueError("not a usable key") from error

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Whether `signature` (64 bytes, r and s) is this key's over `signed`."""
        return len(signature) == 64 and bool(self._key.verify(signed, signature))


def read_token(token: str, key_of: Callable[[str], PublicKey], issuer: str, audience: str, now: float) -> Caller:
    """The caller a token speaks for. Raises `NotAccepted`, or `UnknownKey` from `key_of`."""
    if len(token) > LONGEST or token.count(".") != 2:
        raise NotAccepted("shape")
    head, payload, signature = token.split(".")
    header = _json_object(head)
    if header.get("alg") != "ES256" or header.get("typ") != TOKEN_TYPE or _KEY_HINTS & header.keys():
        raise NotAccepted("header")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise NotAccepted("kid")
    if not key_of(kid).verifies(f"{head}.{payload}".encode("ascii"), _decode(signature)):
        raise NotAccepted("signature")
    return _caller(_json_object(payload), issuer, audience, now)


def _caller(claims: dict[str, Any], issuer: str, audience: str, now: float) -> Caller:
    expires, issued, intended = claims.get("exp"), claims.get("iat"), claims.get("aud")
    if claims.get("iss") != issuer or not (
        intended == audience or (isinstance(intended, list) and audience in intended)
    ):
        raise NotAccepted("issuer or audience")
    if not isinstance(expires, int | float) or not isinstance(issued, int | float):
        raise NotAccepted("times")
    if not isinstance(claims.get("nbf", 0), int | float):
        raise NotAccepted("times")
    if expires <= now or issued > now + _CLOCK_SKEW or claims.get("nbf", 0) > now + _CLOCK_SKEW:
        raise NotAccepted("expired or not yet valid")
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise NotAccepted("roles")
    try:
        principal = Principal(
            kind="person",
            issuer="gateway",
            subject=UUID(claims["sub"]),
            session_id=UUID(claims["sid"]),
            roles=frozenset(roles) & ROLES,
            organisation_id=UUID(claims["org"]) if claims.get("org") else None,
            second_factor_at=proof_time(claims.get("second_factor_at")),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise NotAccepted("subject, session or second factor") from error
    return Caller(principal, issued_at=float(issued), expires_at=float(expires))


def _json_object(part: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(_decode(part))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAccepted("not JSON") from error
    if not isinstance(value, dict):
        raise NotAccepted("not an object")
    return value


def _decode(part: str) -> bytes:
    """Unpadded base64url, strictly: one token must not be writable in several ways."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAccepted("not base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise NotAccepted("not canonical base64url")
    return raw
