"""One request on its way through the door, and how it is answered."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from gateway.door.headers import Arrived
from gateway.door.path_table import Operation
from gateway.identity.caller import Caller
from gateway.limits.limiter import Account
from gateway.problems import CONTENT_TYPE, Header, Refused

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """The client closed the connection before it was answered."""


class Exchange:
    """Holds what each step adds. `status` is 0 until an answer has begun."""

    __slots__ = (
        "account", "address", "arrived", "caller", "common", "method", "operation", "path", "query", "receive",
        "request_id",
        "send", "started", "status", "upstream_seconds",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, common: tuple[Header, ...]) -> None:
        self.receive = receive
        self.send = send
        self.common = common
        self.method: str = scope.get("method", "GET")
        self.query: bytes = scope.get("query_string", b"")
        self.started = time.perf_counter()
        self.status = 0
        self.upstream_seconds = 0.0
        self.path = b""
        self.request_id = ""
        self.address = ""
        self.arrived: Arrived
        self.operation: Operation | None = None
        self.caller: Caller | None = None
        self.account: Account | None = None

    def finished(self, headers: Iterable[Header]) -> list[Header]:
        """The answer's own headers and those every answer carries."""
        out = list(headers)
        out.append((b"x-request-id", self.request_id.encode()))
        if self.account is not None:
            out.append((b"ratelimit-policy", self.account.quota.policy))
            out.append((b"ratelimit", self.account.header()))
        out.extend(self.common)
        return out

    async def begin(self, status: int, headers: Iterable[Header]) -> None:
        """Send the head of an answer; its body follows by `piece`."""
        self.status = status
        await self.send({"type": "http.response.start", "status": status, "headers": self.finished(headers)})

    async def piece(self, body: bytes, more: bool) -> None:
        """Send a part of the body."""
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(self, status: int, headers: Iterable[Header], body: bytes = b"") -> None:
        """Send a whole answer."""
        head = [*headers, (b"content-length", b"%d" % len(body))] if body or status not in (204, 304) else headers
        await self.begin(status, head)
        await self.piece(b"" if self.method == "HEAD" else body, False)

    async def refuse(self, refused: Refused) -> None:
        """Send a problem document."""
        problem = refused.problem
        body = problem.body(self.request_id, refused.detail)
        await self.answer(problem.status, (CONTENT_TYPE, _NO_STORE, *problem.headers, *refused.headers), body)


_NO_STORE = (b"cache-control", b"no-store")
