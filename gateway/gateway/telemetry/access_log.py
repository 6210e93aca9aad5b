"""One JSON line a request, written in portions by a thread so that a slow reader of the log slows nobody."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec

_encode = msgspec.json.Encoder().encode
_MOST_WAITING = 50_000
_EVERY_SECONDS = 0.2

Write = Callable[[bytes], object]


def to_stdout(data: bytes) -> None:
    """The usual place."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


class AccessLog:
    """Lines carry ids, never names or addresses of people. When the writer cannot keep up, lines are counted and
    dropped."""

    def __init__(self, write: Write = to_stdout, enabled: bool = True) -> None:
        self._write = write
        self._enabled = enabled
        self._lines: list[bytes] = []
        self.dropped = 0

    def add(
        self,
        *,
        request_id: str,
        user: str,
        method: str,
        route: str,
        status: int,
        seconds: float,
        upstream_seconds: float,
    ) -> None:
        """Remember one line. `user` is a user id or `key:<id>`, empty for nobody; `route` a template."""
        if not self._enabled:
            return
        if len(self._lines) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._lines.append(
            _encode(
                {
                    "event": "request",
                    "service": "gateway",
                    "at": round(time.time(), 3),
                    "request_id": request_id,
                    "user": user,
                    "method": method,
                    "route": route,
                    "status": status,
                    "ms": round(seconds * 1000, 2),
                    "upstream_ms": round(upstream_seconds * 1000, 2),
                }
            )
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Write what has gathered, until `stop`."""
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), _EVERY_SECONDS)
            except TimeoutError:
                await asyncio.to_thread(self.flush)
        self.flush()

    def flush(self) -> None:
        """Write now."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._write(b"\n".join(lines) + b"\n")
