"""Compact JWS (RFC 7515) with keys that are not ours to choose: a service account's RSA key, a VAPID key. Pure."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def signed_token(
    claims: Mapping[str, Any], key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *, key_id: str | None = None
) -> str:
    """A JWT: RS256 for an RSA key, ES256 for one on P-256."""
    header = {"typ": "JWT", "alg": "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"}
    if key_id:
        header["kid"] = key_id
    said = f"{_json(header)}.{_json(claims)}"
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(said.encode(), padding.PKCS1v15(), SHA256())
    else:
        r, s = decode_dss_signature(key.sign(said.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{said}.{b64(signature)}"


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """The bytes again. ValueError for what is no base64url."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _json(value: Mapping[str, Any]) -> str:
    return b64(json.dumps(value, separators=(",", ":")).encode())
