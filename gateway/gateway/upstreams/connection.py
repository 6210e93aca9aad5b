"""One HTTP/1.1 connection to a service, for requests whose body is at hand; parsed by llhttp (httptools).

A general client spends more on a small request than the request costs (stack.md, "Gateway"): this one writes a head
that is ready and gives the answer's headers as they came. Redirects, cookies, compression and authentication are the
caller's business and are left alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import httptools

_MOST_HEAD = 64 * 1024
_MOST_WAITING = 256 * 1024
"""Bytes of a body that may wait for a slow reader before the service is asked to pause."""


class Unreached(Exception):
    """The connection ended before a byte of an answer came."""


class NotSent(Unreached):
    """There was no connection: no byte of the request went out, so it may go to another instance whatever it does."""


class BrokenAnswer(Exception):
    """What came is no HTTP, or broke off."""


class Connection(asyncio.Protocol):
    """Carries one exchange after the other. `on_free` hears when it may carry the next."""

    def __init__(self, on_free: Callable[[Connection], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_free = on_free
        self._transport: asyncio.Transport
        self._parser: Any = None
        self._seconds = 0.0
        self._heard_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[None] | None = None
        self.closed = False
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.content_length: int | None = None
        self._chunked = False
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._head_bytes = 0
        self._ready = False
        self._whole = False
        self._lasts = False
        self._error: Exception | None = None

    # ---- what the caller does

    async def ask(self, request: bytes, seconds: float) -> None:
        """Send `request` and wait for the head of its answer. `seconds` may pass without a byte.

        Raises NotSent, Unreached, BrokenAnswer and TimeoutError, and then the connection is closed.
        """
        if self.closed:
            raise NotSent
        self._begin()
        self._parser = httptools.HttpResponseParser(self)
        self._seconds, self._heard_at = seconds, self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look_at_the_clock)
        self._transport.write(request)
        try:
            while not self._ready:
                await self._news()
        except BaseException:
            self.close()
            raise

    async def read(self) -> bytes:
        """The rest of the body. Raises BrokenAnswer and TimeoutError."""
        while not self._whole:
            await self._news()
        return b"".join(self._taken())

    async def iter_any(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises BrokenAnswer and TimeoutError."""
        while True:
            for piece in self._taken():
                yield piece
            if self._whole and not self._pieces:
                return
            if not self._pieces:
                await self._news()

    def release(self) -> None:
        """The exchange is over: keep the connection for the next one, or close what was left half read."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._whole and self._lasts and not self.closed:
            self._on_free(self)
        else:
            self.close()

    def close(self) -> None:
        """Close at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.closed = True
        self._transport.abort()

    async def _news(self) -> None:
        """Wait until something came or went wrong."""
        if self._error is not None:
            raise self._error
        self._waiting = self._loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None
        if self._error is not None and not self._pieces:
            raise self._error

    def _taken(self) -> list[bytes]:
        taken = list(self._pieces)
        self._pieces.clear()
        self._held = 0
        if self._paused and not self.closed:
            self._paused = False
            self._heard_at = self._loop.time()
            self._transport.resume_reading()
        return taken

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._error is None and not self._whole:
            self._error = error
        self._wake()

    def _look_at_the_clock(self) -> None:
        """One timer an exchange, set again only when it comes too early."""
        left = self._heard_at + self._seconds - self._loop.time()
        if self._paused:
            left = self._seconds
        if left > 0.001:
            self._timer = self._loop.call_later(left, self._look_at_the_clock)
            return
        self._timer = None
        self._fail(TimeoutError())

    # ---- what the loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._whole:
            self.close()  # nobody asked
            return
        self._heard_at = self._loop.time()
        if not self._ready:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, ValueError) as error:
            self._fail(BrokenAnswer(str(error)))
        if self._head_bytes > _MOST_HEAD and not self._ready:
            self._fail(BrokenAnswer("a head without end"))
        if self._held > _MOST_WAITING and not self._paused and not self._whole:
            self._paused = True
            self._transport.pause_reading()
        if self._ready:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._ready and not self._chunked and self.content_length is None:
            self._whole = True  # such an answer ends with its connection (RFC 9112, section 6.3)
        self._fail(BrokenAnswer("broke off") if self._head_bytes else Unreached())

    # ---- what the parser says

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the answer, or of its trailer, which nobody needs."""
        if self._ready:
            return
        self.raw_headers.append((name, value))
        lower = name.lower()
        if lower == b"content-length":
            self.content_length = int(value)
        elif lower == b"transfer-encoding":
            self._chunked = True

    def on_headers_complete(self) -> None:
        """The head is there; one of 1xx only says that another follows."""
        status = self._parser.get_status_code()
        if status < 200:
            self.raw_headers = []
            return
        self.status = status
        self._ready = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._pieces.append(body)
        self._held += len(body)

    def on_message_complete(self) -> None:
        """The last byte was read; only here the parser knows whether the connection lasts."""
        self._whole = self._ready
        self._lasts = self._whole and self._parser.should_keep_alive()
