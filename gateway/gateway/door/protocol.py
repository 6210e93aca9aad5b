"""uvicorn's HTTP/1.1 protocol with the bounds a public door needs.

uvicorn itself waits for ever for the rest of a request head and takes heads of any size; an application cannot see
either. Use it by `uvicorn --http gateway.door.protocol:BoundedHttpProtocol`, or start the gateway by `python -m
gateway`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway import problems
from gateway.door.client_address import bucket_of
from gateway.door.headers import request_id
from gateway.problems import Problem
from rihla.web.whole_answer import WholeAnswerProtocol


class BoundedHttpProtocol(WholeAnswerProtocol):
    """Bounds the size of a request head, the seconds it may take, and the connections of one address."""

    max_head_bytes: ClassVar[int] = 32 * 1024
    head_seconds: ClassVar[float] = 10.0
    max_connections: ClassVar[int] = 512
    _open: ClassVar[Counter[str]] = Counter()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = False
        self._patience: asyncio.TimerHandle | None = None
        self._bucket = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._bucket = bucket_of(self.client[0] if self.client else "")
        self._open[self._bucket] += 1
        if self._open[self._bucket] > self.max_connections:
            self._refuse(problems.OVERLOADED, "Too many connections from one address.")
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open[self._bucket] -= 1
        if self._open[self._bucket] <= 0:
            del self._open[self._bucket]
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head:
            if self._head_bytes > self.max_head_bytes:
                self._refuse(problems.HEADERS_TOO_LARGE, f"At most {self.max_head_bytes} bytes of headers are taken.")
                return
            self._arm()
        elif self.cycle is None or self.cycle.response_complete:
            self._arm()
        else:
            self._disarm()

    def handle_websocket_upgrade(self) -> None:
        self._disarm()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(problems.MALFORMED_REQUEST, msg)

    def _arm(self) -> None:
        if self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(self.head_seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _too_slow(self) -> None:
        self._patience = None
        if self.cycle is not None and not self.cycle.response_complete:
            return
        if self._in_head:
            self._refuse(problems.REQUEST_TIMEOUT, "The request did not arrive in time.")
        else:
            self.transport.close()

    def _refuse(self, problem: Problem, detail: str) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.response_started:
                self.transport.close()  # nothing may be written into an answer that is under way
                return
            self.cycle.disconnected = True  # the application hears that the client is gone and stays silent
            self.cycle.message_event.set()
        name = request_id(None)
        body = problem.body(name, detail)
        head = (
            b"content-type: application/problem+json\r\nconnection: close\r\n"
            b"x-request-id: %s\r\ncontent-length: %d\r\n\r\n" % (name.encode(), len(body))
        )
        self.transport.write(STATUS_LINE[problem.status] + head + body)
        self.transport.close()
