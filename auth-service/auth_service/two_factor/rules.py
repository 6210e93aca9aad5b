"""Time-based codes (RFC 6238) and recovery codes."""

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

import pyotp

STEP_SECONDS = 30
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """160 random bits in base 32, as RFC 4226 recommends."""
    return str(pyotp.random_base32(32))


def otpauth_uri(secret: str, *, account: str, issuer: str = "Rihla") -> str:
    """What an authenticator app reads from the QR code."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer))


def matching_step(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """The time step `code` belongs to: the present one or a neighbour, never one at or before `after` (a replay)."""
    totp = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in (present - 1, present, present + 1):
        right = hmac.compare_digest(totp.generate_otp(step), code)
        if right and step > after:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of fifty bits, easy to copy by hand."""

    def half() -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(5))

    return [f"{half()}-{half()}" for _ in range(RECOVERY_CODES)]


def recovery_code_hash(secret: bytes, *, account_id: UUID, code: str) -> bytes:
    """What is stored of a recovery code; spelling with capitals, spaces or without the dash does not matter."""
    folded = "".join(char for char in code.lower() if char.isalnum())
    return hmac.digest(secret, f"recovery\x1f{account_id}\x1f{folded}".encode(), hashlib.sha256)
