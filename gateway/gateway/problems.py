"""Every refusal of the gateway's own, as RFC 9457 problem documents."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

CONTENT_TYPE = (b"content-type", b"application/problem+json")
Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of refusal; `headers` go with every answer of this kind."""

    status: int
    code: str
    title: str
    headers: tuple[Header, ...] = field(default=())

    def body(self, request_id: str, detail: str, **extra: object) -> bytes:
        """The document. `detail` tells the person what to do next."""
        return msgspec.json.encode(
            {
                "type": f"urn:rihla:problem:{self.code}",
                "title": self.title,
                "status": self.status,
                "detail": detail,
                "code": self.code,
                "request_id": request_id,
                **extra,
            }
        )


class Refused(Exception):
    """Stops a request with a problem; raised anywhere between the door and the service."""

    def __init__(self, problem: Problem, detail: str, headers: tuple[Header, ...] = ()) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.detail = detail
        self.headers = headers


_SOON = ((b"retry-after", b"1"),)

UNCLEAR_PATH = Problem(400, "unclear-path", "The path cannot be read in one way only")
AMBIGUOUS_CREDENTIALS = Problem(400, "ambiguous-credentials", "More than one credential")
MALFORMED_REQUEST = Problem(400, "malformed-request", "Not a well-formed HTTP request")
UNAUTHENTICATED = Problem(401, "unauthenticated", "Sign in first", ((b"www-authenticate", b'Bearer realm="rihla"'),))
INVALID_TOKEN = Problem(
    401,
    "invalid-token",
    "The token does not hold",
    ((b"www-authenticate", b'Bearer realm="rihla", error="invalid_token"'),),
)
INVALID_API_KEY = Problem(
    401, "invalid-api-key", "The key does not hold", ((b"www-authenticate", b'ApiKey realm="rihla"'),)
)
FORBIDDEN = Problem(403, "forbidden", "Not for this role")
NOT_FOUND = Problem(404, "not-found", "No such path")
METHOD_NOT_ALLOWED = Problem(405, "method-not-allowed", "This path does not have that method")
REQUEST_TIMEOUT = Problem(408, "request-timeout", "The request came too slowly", ((b"connection", b"close"),))
BODY_TOO_LARGE = Problem(413, "payload-too-large", "The request body is too large", ((b"connection", b"close"),))
RATE_LIMITED = Problem(429, "too-many-requests", "Too many requests")
HEADERS_TOO_LARGE = Problem(431, "headers-too-large", "The request headers are too large", ((b"connection", b"close"),))
INTERNAL_ERROR = Problem(500, "internal-error", "Something broke on our side")
BAD_UPSTREAM_ANSWER = Problem(502, "bad-upstream-answer", "A service broke off its answer", _SOON)
UPSTREAM_UNAVAILABLE = Problem(503, "upstream-unavailable", "A service cannot be reached", _SOON)
OVERLOADED = Problem(503, "overloaded", "Too busy at the moment", _SOON)
MAINTENANCE = Problem(503, "maintenance", "Closed for maintenance", ((b"retry-after", b"60"),))
UPSTREAM_TIMEOUT = Problem(504, "upstream-timeout", "A service took too long")

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Problem))
