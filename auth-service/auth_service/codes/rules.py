"""One-time codes: six digits, bound to the request that asked and kept nowhere (ASVS 5.0, 6.5 and 6.6)."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

Purpose = Literal["verify", "login", "password-reset", "change-email"]

CODE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """The numbers of api.md: how long a code lives, how often it may be tried and asked for."""

    lifetime: timedelta = timedelta(minutes=10)
    tries: int = 5
    resend_after: timedelta = timedelta(seconds=60)
    per_hour: int = 10
    sms_per_number_per_day: int = 10
    sms_per_address_per_day: int = 30


def code_of(secret: bytes, *, purpose: str, identifier: str, request_id: UUID) -> str:
    """The code of one request: a keyed hash of what it is bound to, cut to six digits (as HOTP does, RFC 4226).

    Nothing of it is stored, not even a hash; sending it again after a crash gives the same digits, and another
    purpose, address or request gives others.
    """
    message = "\x1f".join((purpose, identifier, str(request_id))).encode()
    digest = hmac.digest(secret, message, hashlib.sha256)
    return f"{int.from_bytes(digest[:16], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def same_code(left: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def wait_before_next(*, last_asked: datetime | None, now: datetime, policy: CodePolicy) -> timedelta:
    """How long until another code may be made, given when the last unused one was asked for."""
    if last_asked is None:
        return timedelta(0)
    return max(timedelta(0), last_asked + policy.resend_after - now)


def redelivery_delay(attempts: int) -> timedelta:
    """Back-off after `attempts` failed hand-overs: 1, 2, 4 ... at most 30 s, since a code is worth ten minutes."""
    return timedelta(seconds=min(30, 2 ** max(0, attempts - 1)))
