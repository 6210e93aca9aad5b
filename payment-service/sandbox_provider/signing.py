"""How the sandbox signs what it sends.

`Sandbox-Signature: t=<unix>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `<t>.<raw body>`.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

HEADER: Final = "Sandbox-Signature"


def signature_header(body: bytes, *, timestamp: int, secrets: Sequence[str]) -> str:
    """The header's value, with one signature for each secret that is valid just now."""
    signed = f"{timestamp}.".encode() + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])
