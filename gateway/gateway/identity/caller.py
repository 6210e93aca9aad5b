"""The caller of one request, kept between requests with the same credential."""

from __future__ import annotations

from rihla.auth import Principal


class Caller:
    """A principal with what the gateway must know about its credential.

    `issued_at` and `expires_at` are Unix seconds; `per_minute` is a partner's contract; `bucket` names its
    rate-limit bucket. `tokens` keeps the internal token per audience: (header value, Unix seconds until which it is
    sent).
    """

    __slots__ = (
        "bucket",
        "expires_at",
        "issued_at",
        "key_id",
        "kind",
        "per_minute",
        "principal",
        "session_id",
        "tokens",
        "user_id",
    )

    def __init__(
        self,
        principal: Principal,
        *,
        issued_at: float = 0.0,
        expires_at: float = float("inf"),
        per_minute: int | None = None,
    ) -> None:
        self.principal = principal
        self.kind = principal.kind
        self.user_id = str(principal.subject) if principal.subject else ""
        self.session_id = str(principal.session_id) if principal.session_id else ""
        self.key_id = str(principal.key_id) if principal.key_id else ""
        self.issued_at = issued_at
        self.expires_at = expires_at
        self.per_minute = per_minute
        self.bucket = f"key:{self.key_id}" if principal.kind == "partner" else f"user:{self.user_id}"
        self.tokens: dict[str, tuple[str, float]] = {}


def anonymous() -> Caller:
    """Nobody in particular; one value serves everybody, since nothing of it is counted per caller."""
    return Caller(Principal(kind="anonymous", issuer="gateway"))
