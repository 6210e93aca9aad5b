"""Internal keys of every service, made for a test session."""

import base64
import json
import time
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

from rihla.auth import Principal, TokenSigner

SERVICES = ("gateway", "auth", "flight", "booking", "payment", "notification", "chat")


def new_key(kid: str) -> dict[str, str]:
    """A fresh ES256 private key as a JWK."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "kid": kid,
        "x": _b64(public.x),
        "y": _b64(public.y),
        "d": _b64(key.private_numbers().private_value),
    }


def public_part(key: dict[str, str]) -> dict[str, str]:
    """The same key without its secret."""
    return {name: value for name, value in key.items() if name != "d"}


def _b64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


class Keyring:
    """Keys for all callers; makes settings and tokens."""

    def __init__(self) -> None:
        self.keys = {name: new_key(f"{name}-1") for name in SERVICES}

    @property
    def jwks(self) -> str:
        """The public keys of all callers, as SERVICE_JWKS takes them."""
        return json.dumps({"keys": [public_part(key) for key in self.keys.values()]})

    def settings(self, service: str) -> dict[str, str]:
        """`service_key` and `service_jwks` of one service."""
        return {"service_key": json.dumps(self.keys[service]), "service_jwks": self.jwks}

    def signer(self, service: str) -> TokenSigner:
        """A signer of one service's own tokens."""
        return TokenSigner(json.dumps(self.keys[service]))

    def token(
        self,
        *,
        audience: str,
        user_id: UUID | None = None,
        roles: tuple[str, ...] = ("traveller",),
        issuer: str = "gateway",
        **claims: Any,
    ) -> str:
        """An internal token: of a person (with `user_id`), of nobody (gateway without one), or of a calling service."""
        if issuer != "gateway":
            principal = Principal(kind="service", issuer=issuer)
        elif user_id is None:
            principal = Principal(kind="anonymous", issuer="gateway")
        else:
            principal = Principal(kind="person", issuer="gateway", subject=user_id, roles=frozenset(roles))
        now = int(time.time())
        return self.signer(issuer).sign(
            {**principal.claims(), "aud": audience, "iat": now, "exp": now + 60, **claims},
            token_type="rihla-internal+jwt",
        )
