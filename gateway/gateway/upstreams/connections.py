"""The connections to every instance that wait for their next request."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from urllib.parse import urlsplit

from gateway.upstreams.connection import Connection, NotSent

_MOST_IDLE = 256


class Connections:
    """`keep_seconds`: how long one may lie idle; services close theirs a little later."""

    def __init__(self, keep_seconds: float, connect_seconds: float) -> None:
        self._keep = keep_seconds
        self._connect_seconds = connect_seconds
        self._idle: defaultdict[str, list[tuple[float, Connection]]] = defaultdict(list)
        self._addresses: dict[str, tuple[str, int, bytes]] = {}

    async def take(self, url: str, *, fresh: bool = False) -> Connection:
        """One that is open; the youngest first, so that others may grow old. `fresh`: a new one. Raises NotSent."""
        idle, now = self._idle[url], time.monotonic()
        while idle and not fresh:
            since, connection = idle.pop()
            if not connection.closed and now - since < self._keep:
                return connection
            if not connection.closed:
                connection.close()
        host, port, _ = self.address(url)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, made = await loop.create_connection(
                    lambda: Connection(lambda free: self._give(url, free)), host, port
                )
        except (OSError, TimeoutError) as error:
            raise NotSent from error
        return made

    def address(self, url: str) -> tuple[str, int, bytes]:
        """Host and port of an instance, and the value of `Host`."""
        found = self._addresses.get(url)
        if found is None:
            parts = urlsplit(url)
            found = parts.hostname or "", parts.port or 80, parts.netloc.encode()
            self._addresses[url] = found
        return found

    def close(self) -> None:
        """Close those that wait."""
        for idle in self._idle.values():
            for _, connection in idle:
                connection.close()
        self._idle.clear()

    def _give(self, url: str, connection: Connection) -> None:
        idle = self._idle[url]
        if len(idle) < _MOST_IDLE:
            idle.append((time.monotonic(), connection))
        else:
            connection.close()


def request_bytes(method: str, target: str, host: bytes, headers: list[tuple[str, str]], body: bytes | None) -> bytes:
    """A whole request. ValueError when a header would end its line."""
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers:
        if body is None or name != "Content-Length":
            lines.append(f"{name}: {value}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header with a line of its own")
    length = b"" if body is None else b"\r\nContent-Length: %d" % len(body)
    return head.encode("latin-1") + b"\r\nHost: " + host + length + b"\r\n\r\n" + (body or b"")
