"""Which web pages may read answers (Fetch standard). Off unless origins are configured."""

from __future__ import annotations

Header = tuple[bytes, bytes]

_EXPOSED = b"X-Request-Id, RateLimit, RateLimit-Policy, Retry-After, ETag, Idempotency-Replayed, Location"
_ALLOWED_HEADERS = (
    b"Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Request-Id, If-None-Match, "
    b"Accept-Language, traceparent"
)
_VARY = (b"vary", b"Origin")


class Cors:
    """Credentials travel in headers, never in cookies, so `Access-Control-Allow-Credentials` is never sent."""

    def __init__(self, origins: frozenset[str]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origin.encode() for origin in origins)
        self.enabled = bool(origins)

    def headers(self, origin: bytes | None) -> tuple[Header, ...]:
        """What an ordinary answer carries."""
        if not self.enabled:
            return ()
        if origin is None or not self._allows(origin):
            return () if self._any else (_VARY,)
        return (
            (b"access-control-allow-origin", b"*" if self._any else origin),
            (b"access-control-expose-headers", _EXPOSED),
            *(() if self._any else (_VARY,)),
        )

    def preflight(self, origin: bytes | None, allow: bytes) -> tuple[Header, ...] | None:
        """What a preflight's answer carries besides; None when this origin may not call."""
        if origin is None or not self._allows(origin):
            return None
        return (
            (b"access-control-allow-methods", allow),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", b"600"),
        )

    def _allows(self, origin: bytes) -> bool:
        return self.enabled and (self._any or origin in self._origins)
