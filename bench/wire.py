"""An HTTP client that costs as little as Python allows, so that a load on the same machine measures the other side."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """What a load saw; waits in seconds."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def per_second(self, status: int) -> float:
        return self.statuses[status] / self.seconds if self.seconds else 0.0

    def wait_ms(self, share: float) -> float:
        """The wait that this share of requests did not exceed, in milliseconds."""
        if not self.waits:
            return 0.0
        return sorted(self.waits)[min(int(len(self.waits) * share), len(self.waits) - 1)] * 1e3


class Wire(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._seen = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, port: int) -> Wire:
        """Connect to a port of this machine."""
        _, wire = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return wire

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    @property
    def closed(self) -> bool:
        """Whether the other side hung up, as it does with connections that idle for long."""
        return self._transport is None or self._transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((0, b""))

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head = self._seen.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._seen[:head].lower()
        at = lower.find(b"content-length:")
        if at < 0:
            if not self._seen.endswith(b"0\r\n\r\n"):
                return
            body = b""  # chunked: nobody here reads such a body
        else:
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._seen) < head + 4 + length:
                return
            body = self._seen[head + 4 : head + 4 + length]
        status, self._seen = int(self._seen[9:12]), b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, body))

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer; (0, b"") when the connection was closed instead."""
        lines = [f"{method} {path} HTTP/1.1", "host: bench", "accept: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body:
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await self._answer

    async def timed(self, seen: Seen, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """The same, entered into `seen`."""
        began = time.perf_counter()
        status, answer = await self.ask(method, path, body, **headers)
        seen.waits.append(time.perf_counter() - began)
        seen.statuses[status] += 1
        if status >= 400:
            seen.codes[str(json.loads(answer or b"{}").get("code", ""))] += 1
        return status, answer

    def close(self) -> None:
        self._transport.close()
