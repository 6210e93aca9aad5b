"""One plain ASGI middleware: request id, log context, body limit, metrics, and the last net under every error.

`BaseHTTPMiddleware` is not used: one alone halves a service's throughput (docs/adr).
"""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from starlette.requests import Request

from rihla.kernel import new_id
from rihla.telemetry import Counter, Histogram, get_logger
from rihla.web.problems import MEDIA_TYPE, problem_body

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUESTS = Counter("rihla_http_requests_total", "Requests answered", ["service", "method", "route", "status"])
DURATION = Histogram(
    "rihla_http_request_seconds",
    "Time to answer",
    ["service", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_WELL_FORMED = re.compile(r"^[A-Za-z0-9._\-]{8,128}$")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
log = get_logger("web")


class BodyTooLarge(Exception):
    """More bytes came than this service reads."""


class RequestMiddleware:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, *, service: str, body_limit: int, state: Any) -> None:
        self._app = app
        self._service = service
        self._limit = body_limit
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(service=self._service, request_id=request_id)
        started = time.perf_counter()
        status = 500
        sent = False

        async def answer(message: MutableMapping[str, Any]) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status, sent = message["status"], True
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            declared = headers.get(b"content-length", b"0")
            if declared.isdigit() and int(declared) > self._limit:
                raise BodyTooLarge
            await self._app(scope, self._bounded(receive), answer)
        except BodyTooLarge:
            if not sent:
                await _send_too_large(answer, request_id)
        except Exception as error:
            if sent:
                raise
            response = await self._state.on_any_error(Request(scope), error)
            await response(scope, receive, answer)
        finally:
            self._observe(scope, status, time.perf_counter() - started)

    def _bounded(self, receive: Receive) -> Receive:
        seen = 0

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise BodyTooLarge
            return message

        return bounded

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        REQUESTS.labels(self._service, method, route, str(status)).inc()
        DURATION.labels(self._service, route).observe(seconds)


def _request_id(given: bytes | None) -> str:
    text = given.decode("latin-1") if given else ""
    return text if _WELL_FORMED.match(text) else str(new_id())


async def _send_too_large(send: Send, request_id: str) -> None:
    body = problem_body(413, "payload-too-large", "The body is too large", "", request_id)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
