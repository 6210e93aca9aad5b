"""Header hygiene in both directions. Pure, and on the path of every request: one pass, one dictionary lookup a
header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import getrandbits

RawHeaders = Iterable[tuple[bytes, bytes]]

_HOP_BY_HOP = (
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer",
    b"transfer-encoding", b"upgrade", b"http2-settings", b"expect",
)  # fmt: skip
_FROM_CLIENT_NEVER = (
    *_HOP_BY_HOP, b"host", b"content-length", b"authorization", b"x-api-key", b"x-request-id", b"traceparent",
    b"forwarded",
    b"via", b"x-real-ip", b"x-original-url", b"x-rewrite-url", b"x-http-method-override", b"x-http-method",
    b"x-method-override", b"true-client-ip", b"cf-connecting-ip", b"client-ip", b"x-cluster-client-ip",
)  # fmt: skip
_FROM_CLIENT_PREFIXES = (b"x-client-", b"x-internal-", b"x-forwarded-", b"x-rihla-", b"sec-websocket-")
_FROM_SERVICE_NEVER = (
    *_HOP_BY_HOP, b"server", b"date", b"content-length", b"x-powered-by", b"x-request-id", b"ratelimit",
    b"ratelimit-policy",
    b"via", b"strict-transport-security", b"x-content-type-options", b"x-frame-options", b"referrer-policy",
    b"traceparent", b"tracestate",
)  # fmt: skip
_FROM_SERVICE_PREFIXES = (b"x-internal-", b"x-client-", b"access-control-", b"x-rihla-")

_NEVER_IN = frozenset(_FROM_CLIENT_NEVER)
_NEVER_OUT = frozenset(_FROM_SERVICE_NEVER)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{8,128}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_ONLY_ONCE = frozenset((b"authorization", b"x-api-key", b"host", b"content-length", b"content-type"))


class RepeatedHeader(Exception):
    """A header that must come once came twice: two readers could take different ones."""


class Arrived:
    """What the gateway itself reads of a request's headers, and the rest, which goes on to the service."""

    __slots__ = ("authorization", "forward", "named", "size")

    def __init__(self, raw: RawHeaders) -> None:
        self.named: dict[bytes, bytes] = {}
        self.forward: list[tuple[str, str]] = []
        self.size = 0
        for name, value in raw:
            self.size += len(name) + len(value) + 4
            if name in _ONLY_ONCE and name in self.named:
                raise RepeatedHeader
            if name in _NEVER_IN:
                self.named[name] = value
            elif name.startswith((b"x-", b"sec-")):
                if name == b"x-forwarded-for":
                    self.named[name] = self.named[name] + b"," + value if name in self.named else value
                elif not name.startswith(_FROM_CLIENT_PREFIXES):
                    self.forward.append((name.decode("latin-1"), value.decode("latin-1")))
            elif b"_" not in name:  # some servers read `x_client_ip` as `x-client-ip`
                self.named[name] = value
                self.forward.append((name.decode("latin-1"), value.decode("latin-1")))
        connection = self.named.get(b"connection")
        if connection is not None and connection.lower() not in (b"keep-alive", b"close"):
            self._drop_named_by(connection)

    def text(self, name: bytes) -> str | None:
        """One header the gateway reads, as text."""
        value = self.named.get(name)
        return None if value is None else value.decode("latin-1")

    def _drop_named_by(self, connection: bytes) -> None:
        """Headers that `Connection` names belong to this hop (RFC 9110, section 7.6.1)."""
        names = {part.strip().lower().decode("latin-1") for part in connection.split(b",")}
        self.forward = [(name, value) for name, value in self.forward if name not in names]


def request_id(sent: bytes | None) -> str:
    """The caller's id when it is well formed, else a new one. It guards nothing, so it need not be hard to guess."""
    if sent is not None and _REQUEST_ID.fullmatch(sent):
        return sent.decode()
    return f"{getrandbits(128):032x}"


def traceparent(sent: bytes | None) -> str:
    """The caller's trace context (W3C) when it is well formed, else the root of a new, unsampled trace."""
    if sent is not None and _TRACEPARENT.fullmatch(sent):
        return sent.decode()
    return f"00-{getrandbits(127) + 1:032x}-{getrandbits(63) + 1:016x}-00"


def back_to_client(raw: RawHeaders) -> list[tuple[bytes, bytes]]:
    """A service's response headers without what is none of the client's business."""
    kept = []
    for name, value in raw:
        lower = name.lower()
        if lower in _NEVER_OUT or lower.startswith(_FROM_SERVICE_PREFIXES):
            continue
        kept.append((lower, value))
    return kept
