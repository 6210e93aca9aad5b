"""WebSockets: checked like a request, then passed through until either side, a limit or a revocation ends them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp

from gateway import problems
from gateway.door.exchange import Exchange, Receive, Send
from gateway.identity.caller import Caller
from gateway.identity.revocations import Revocation, matches
from gateway.limits.token_bucket import TokenBucket
from gateway.problems import CONTENT_TYPE, Refused
from gateway.settings import Settings
from rihla.ending import end
from rihla.telemetry import get_logger

_log = get_logger(__name__)
# RFC 6455 close codes, and two of our own that tell a client whether signing in again helps.
GOING_AWAY, TOO_BIG, POLICY, INTERNAL = 1001, 1009, 1008, 1011
SIGNED_OUT, LIFETIME_OVER = 4401, 4408
_RESERVED = frozenset({1004, 1005, 1006, 1015})


class OpenSockets:
    """Every open socket of this process, so that a revocation can close it."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Caller, Callable[[int], None]]] = {}
        self._per_bucket: Counter[str] = Counter()

    def count(self, caller: Caller) -> int:
        """How many sockets this person or key has open here."""
        return self._per_bucket[caller.bucket]

    def add(self, caller: Caller, close: Callable[[int], None]) -> int:
        """Remember a socket; `close` takes a close code. Returns its ticket."""
        ticket = id(close)
        self._open[ticket] = (caller, close)
        self._per_bucket[caller.bucket] += 1
        return ticket

    def remove(self, ticket: int) -> None:
        """Forget a socket."""
        caller, _ = self._open.pop(ticket)
        self._per_bucket[caller.bucket] -= 1
        if not self._per_bucket[caller.bucket]:
            del self._per_bucket[caller.bucket]

    def on_revoked(self, item: Revocation) -> None:
        """Close the sockets whose credential was revoked."""
        for caller, close in list(self._open.values()):
            if matches(item, caller):
                close(SIGNED_OUT)

    def close_all(self) -> None:
        """The gateway is stopping."""
        for _, close in list(self._open.values()):
            close(GOING_AWAY)


class Tunnel:
    """One open socket: the client on one side (ASGI), the service on the other (aiohttp)."""

    def __init__(
        self, receive: Receive, send: Send, service: aiohttp.ClientWebSocketResponse, settings: Settings
    ) -> None:
        self._receive = receive
        self._send = send
        self._service = service
        self._most_bytes = settings.websocket_message_bytes
        self._messages = TokenBucket(
            settings.websocket_messages_per_minute,
            float(settings.websocket_messages_per_minute),
            asyncio.get_running_loop().time(),
        )
        self._ending: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(self, code: int) -> None:
        """Close both sides soon."""
        if not self._ending.done():
            self._ending.set_result(code)

    async def run(self, lifetime: float) -> None:
        """Pass messages until someone ends it; `lifetime` in seconds."""
        pumps = [asyncio.create_task(self._from_client()), asyncio.create_task(self._from_service())]
        try:
            done, _ = await asyncio.wait((*pumps, self._ending), timeout=lifetime, return_when=asyncio.FIRST_COMPLETED)
            code = LIFETIME_OVER
            for finished in done:
                failed = finished.exception()
                code = INTERNAL if failed is not None else finished.result()
        finally:
            await end(pumps)
        await self._close(code)

    async def _from_client(self) -> int:
        loop = asyncio.get_running_loop()
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return int(message.get("code") or GOING_AWAY)
            text, data = message.get("text"), message.get("bytes")
            if len(text.encode() if text is not None else data or b"") > self._most_bytes:
                return TOO_BIG
            if not self._messages.take(1, loop.time()):
                return POLICY
            if text is not None:
                await self._service.send_str(text)
            else:
                await self._service.send_bytes(data or b"")

    async def _from_service(self) -> int:
        async for message in self._service:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._send({"type": "websocket.send", "text": message.data})
            elif message.type is aiohttp.WSMsgType.BINARY:
                await self._send({"type": "websocket.send", "bytes": message.data})
        return self._service.close_code or GOING_AWAY

    async def _close(self, code: int) -> None:
        code = GOING_AWAY if code in _RESERVED or not 1000 <= code <= 4999 else code
        with contextlib.suppress(RuntimeError, OSError):  # the client closed first
            await self._send({"type": "websocket.close", "code": code})
        await self._service.close(code=code)


async def refuse(exchange: Exchange, extensions: Any, refused: Refused) -> None:
    """Answer a handshake with a problem document where the server can, else with a plain refusal (403)."""
    exchange.status = refused.problem.status
    if "websocket.http.response" not in (extensions or {}):
        await exchange.send({"type": "websocket.close", "code": POLICY})
        return
    body = refused.problem.body(exchange.request_id, refused.detail)
    headers = exchange.finished(
        (CONTENT_TYPE, (b"content-length", b"%d" % len(body)), *refused.problem.headers, *refused.headers)
    )
    await exchange.send({"type": "websocket.http.response.start", "status": refused.problem.status, "headers": headers})
    await exchange.send({"type": "websocket.http.response.body", "body": body})


def too_many_sockets(most: int) -> Refused:
    """429 for one socket more than a person may have."""
    return Refused(
        problems.RATE_LIMITED, f"At most {most} connections at once; close one first.", ((b"retry-after", b"5"),)
    )
