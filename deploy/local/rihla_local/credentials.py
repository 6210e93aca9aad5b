"""Keys and passwords of one checkout, made once and kept in `.run/secrets.json` (readable by its owner only)."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from rihla_local.layout import read_json, write_json
from rihla_local.manifest import CALLERS, SERVICES

ADMIN_EMAIL = "admin@rihla.example"


@dataclass(frozen=True)
class Credentials:
    """Everything secret. `keys` are private JWKs by caller, `passwords` those of roles and servers."""

    keys: dict[str, dict[str, str]]
    passwords: dict[str, str]
    variables: dict[str, str]

    @property
    def jwks(self) -> str:
        """Public keys of all callers, as SERVICE_JWKS wants them."""
        public = [{name: value for name, value in key.items() if name != "d"} for key in self.keys.values()]
        return json.dumps({"keys": public}, separators=(",", ":"))

    def key_of(self, caller: str) -> str:
        """SERVICE_KEY of one caller."""
        return json.dumps(self.keys[caller], separators=(",", ":"))


def load(path: Path) -> Credentials:
    """Read the file, adding what newer services need; everything else stays as it is."""
    stored = read_json(path) or {}
    keys = {caller: (stored.get("keys") or {}).get(caller) or new_key(f"{caller}-1") for caller in CALLERS}
    names = ["postgres", "redis", "rabbitmq", *(service.name for service in SERVICES if service.database)]
    passwords = {name: (stored.get("passwords") or {}).get(name) or secrets.token_urlsafe(18) for name in names}
    wanted = sorted({name for service in SERVICES for name in service.secrets})
    variables = {name: (stored.get("variables") or {}).get(name) or _make(name) for name in wanted}
    fresh: dict[str, Any] = {"keys": keys, "passwords": passwords, "variables": variables}
    if fresh != stored:
        write_json(path, fresh, mode=0o600)
    os.chmod(path, 0o600)
    return Credentials(keys, passwords, variables)


def new_key(kid: str) -> dict[str, str]:
    """A fresh ES256 private key as a JWK (RFC 7517)."""
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = numbers.public_numbers
    return {
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "kid": kid,
        "x": _number(public.x),
        "y": _number(public.y),
        "d": _number(numbers.private_value),
    }


def _make(name: str) -> str:
    makers: dict[str, Callable[[], str]] = {
        "ACCESS_TOKEN_KEYS": lambda: json.dumps({"keys": [new_key(f"access-{secrets.token_hex(4)}")]}),
        "DATA_KEYS": lambda: json.dumps({"local-1": base64.b64encode(secrets.token_bytes(32)).decode()}),
        "TRAVELLER_KEYS": lambda: json.dumps({"local-1": base64.b64encode(secrets.token_bytes(32)).decode()}),
        "METHOD_KEYS": lambda: json.dumps({"local-1": base64.b64encode(secrets.token_bytes(32)).decode()}),
        "WEBHOOK_KEYS": lambda: json.dumps({"local-1": base64.b64encode(secrets.token_bytes(32)).decode()}),
        "BOARDING_PASS_KEYS": lambda: secrets.token_urlsafe(32),
        "ADMIN_EMAIL": lambda: ADMIN_EMAIL,
        "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
        "SANDBOX_API_KEY": lambda: f"sk_sandbox_{secrets.token_urlsafe(24)}",
        "SANDBOX_WEBHOOK_SECRET": lambda: f"whsec_{secrets.token_urlsafe(24)}",
    }
    return makers.get(name, lambda: secrets.token_urlsafe(32))()


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()
