"""Signature schemes of providers' webhooks, over the raw body, compared in constant time."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

TOLERANCE_SECONDS: Final = 300

# Paymob's documented order of fields ("transaction processed callback"); the order is part of the scheme.
PAYMOB_FIELDS: Final = (
    "amount_cents", "created_at", "currency", "error_occured", "has_parent_transaction", "id", "integration_id",
    "is_3d_secure", "is_auth", "is_capture", "is_refunded", "is_standalone_payment", "is_voided", "order.id", "owner",
    "pending", "source_data.pan", "source_data.sub_type", "source_data.type", "success",
)  # fmt: skip


def timestamped_signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 (hex) over `<t>.<raw body>`, as Stripe signs (and the sandbox)."""
    return hmac.digest(secret.encode(), f"{timestamp}.".encode() + body, "sha256").hex()


def verify_timestamped(header: str, body: bytes, *, secrets: Iterable[str], now: datetime) -> bool:
    """Whether a `t=<unix>,v1=<hex>` header signs the body with one of the secrets, not more than 300 s from now.

    Several `v1` and several secrets may be present while a secret is being rotated. Every pair is compared, so that
    the time taken does not tell which matched.
    """
    timestamp, marks = _parts(header)
    if timestamp is None or not marks or abs(now.timestamp() - timestamp) > TOLERANCE_SECONDS:
        return False
    good = False
    for secret in secrets:
        expected = timestamped_signature(secret, timestamp, body)
        for mark in marks:
            good |= hmac.compare_digest(expected.encode(), mark.encode())
    return good


def _parts(header: str) -> tuple[int | None, list[str]]:
    timestamp: int | None = None
    marks: list[str] = []
    for piece in header.split(","):
        name, _, value = piece.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12:
            timestamp = int(value)
        elif name == "v1" and value:
            marks.append(value)
    return timestamp, marks


def paymob_text(transaction: Mapping[str, Any]) -> str:
    """The signed text: the values of PAYMOB_FIELDS one after another, booleans as `true` and `false`.

    Fields may be nested (`order: {"id": 1}`, in callbacks) or flat (`order.id` or `order`, in redirects).
    """
    return "".join(_paymob_value(transaction, field) for field in PAYMOB_FIELDS)


def _paymob_value(transaction: Mapping[str, Any], field: str) -> str:
    value: Any = transaction.get(field)
    if value is None:
        outer, _, inner = field.partition(".")
        value = transaction.get(outer)
        if inner and isinstance(value, Mapping):
            value = value.get(inner)
        elif inner and outer != "order":
            value = None
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def paymob_signature(secret: str, transaction: Mapping[str, Any]) -> str:
    """HMAC-SHA512 (hex) over the signed fields."""
    return hmac.new(secret.encode(), paymob_text(transaction).encode(), hashlib.sha512).hexdigest()


def verify_paymob(transaction: Mapping[str, Any], given: str, *, secrets: Sequence[str]) -> bool:
    """Whether `given` (the `hmac` query parameter) signs the transaction with one of the secrets."""
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(paymob_signature(secret, transaction).encode(), given.lower().encode())
    return good
