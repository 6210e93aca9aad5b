"""Request bodies: bounded in size and in time.

A small body is read whole before a service is bothered, so that a slow sender occupies nothing but its own
connection; a large one is passed on piece by piece.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gateway import problems
from gateway.door.exchange import ClientGone, Exchange
from gateway.problems import Refused

_DISCARD_BYTES = 8 * 1024 * 1024
_DISCARD_SECONDS = 1.0
WHOLE = 64 * 1024
"""Bytes up to which a body is read before it is passed on."""


class StreamedBody:
    """A body on its way. `refused` says afterwards why it stopped, since the HTTP client wraps what is raised inside
    it."""

    def __init__(self, exchange: Exchange, first: bytes, limit: int, patience: float, length: int | None) -> None:
        self._exchange = exchange
        self._first = first
        self._limit = limit
        self._patience = patience
        self.length = length
        self.refused: Exception | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body; each piece must come within the patience. A body larger than the limit ends in `Refused`."""
        seen = len(self._first)
        if self._first:
            yield self._first
        more = True
        try:
            while more:
                piece, more = await _receive(self._exchange, self._patience)
                seen += len(piece)
                if seen > self._limit:
                    raise too_large(self._limit)
                if piece:
                    yield piece
        except (Refused, ClientGone) as error:
            self.refused = error
            raise


async def read_body(exchange: Exchange, limit: int, patience: float) -> bytes | StreamedBody | None:
    """The request's body, or None when it has none. Raises `Refused` (408, 413) and `ClientGone`."""
    named = exchange.arrived.named
    declared = named.get(b"content-length")
    if declared is None and b"transfer-encoding" not in named:
        return None
    length = int(declared) if declared is not None and declared.isdigit() else None
    if length is not None and length > limit:
        raise too_large(limit)
    if length is not None and length > WHOLE:
        return StreamedBody(exchange, b"", limit, patience, length)
    return await _read_small(exchange, limit, patience, length)


async def _read_small(exchange: Exchange, limit: int, patience: float, length: int | None) -> bytes | StreamedBody:
    try:
        async with asyncio.timeout(patience):
            pieces = bytearray()
            more = True
            while more:
                piece, more = await _next(exchange)
                pieces += piece
                if len(pieces) > limit:
                    raise too_large(limit)
                if len(pieces) > WHOLE and more:
                    return StreamedBody(exchange, bytes(pieces), limit, patience, length)
            return bytes(pieces)
    except TimeoutError:
        raise _too_slow() from None


async def _receive(exchange: Exchange, patience: float) -> tuple[bytes, bool]:
    try:
        async with asyncio.timeout(patience):
            return await _next(exchange)
    except TimeoutError:
        raise _too_slow() from None


async def _next(exchange: Exchange) -> tuple[bytes, bool]:
    message = await exchange.receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def discard_rest(exchange: Exchange) -> None:
    """Take what a client is still sending before it is told 413: closing on unread bytes would reset the connection,
    and the client would never see why. Bounded; a client that waits for `100 Continue` has sent nothing."""
    if b"expect" in exchange.arrived.named:
        return
    seen, more = 0, True
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            while more and seen < _DISCARD_BYTES:
                piece, more = await _next(exchange)
                seen += len(piece)
    except (TimeoutError, ClientGone):
        return


def too_large(limit: int) -> Refused:
    """413 for a body over `limit` bytes."""
    return Refused(problems.BODY_TOO_LARGE, f"At most {limit} bytes are taken here.")


def _too_slow() -> Refused:
    return Refused(problems.REQUEST_TIMEOUT, "The body did not arrive in time; send it again.")
