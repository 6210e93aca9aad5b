"""How a request travels: by aiohttp, answered with httpx's response, because httpx's own client costs several times as
much a call (ADR 0005); or by a transport of httpx, which is the seam for tests. Redirects are not followed.
"""

from collections.abc import Mapping
from typing import Protocol

import aiohttp
import httpx
from yarl import URL

_MOST_CONNECTIONS = 200
_KEEP_ALIVE_SECONDS = 4.0  # below uvicorn's five: a connection is not used in the moment the other side closes it
_OF_THE_TRANSFER = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive"})


class Wire(Protocol):
    """Carries one request at a time, any number of them side by side. It has no deadline: the caller sets one."""

    async def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Response:
        """The answer, read to its end. Raises aiohttp.ClientError, httpx.HTTPError, OSError."""

    async def close(self) -> None:
        """Close every connection."""


def wire(transport: httpx.AsyncBaseTransport | None = None) -> Wire:
    """The network, unless a `transport` is given."""
    return _AiohttpWire() if transport is None else _HttpxWire(transport)


class _AiohttpWire:
    """Over the network. The session opens with the first request, in the loop that makes it."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Response:
        """One request. The caller's timeout is the only one."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        async with self._session.request(
            method, URL(url), data=content, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.read()
        # The body is whole and decoded: headers that speak of its transfer are not true of it any more.
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OF_THE_TRANSFER]
        return httpx.Response(answer.status, headers=kept, content=body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class _HttpxWire:
    """Over a transport of the caller's."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._client = httpx.AsyncClient(transport=transport, timeout=None)

    async def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> httpx.Response:
        """One request through the transport."""
        return await self._client.request(method, url, headers=headers, content=content)

    async def close(self) -> None:
        await self._client.aclose()
