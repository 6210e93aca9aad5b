"""The transport to a fake service: everything a network can do to a request."""

import asyncio
import re
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse

Json = dict[str, Any]


class Wire(httpx.AsyncBaseTransport):
    """Requests to one fake, with everything a network can do to them."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=True)
        self.down = False
        """Nothing gets through."""
        self.lose_answers_of = ""
        """The effect happens, the answer never arrives, while this pattern fits `METHOD path`."""
        self.refuse = ""
        """Nothing gets through, while this pattern fits `METHOD path`."""
        self.gate: asyncio.Event | None = None
        """Requests wait here before they arrive."""
        self.calls: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url.path}"
        self.calls.append(line)
        if self.gate is not None:
            await self.gate.wait()
        if self.down or (self.refuse and re.search(self.refuse, line)):
            raise httpx.ConnectError("down", request=request)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        if self.lose_answers_of and re.search(self.lose_answers_of, line):
            raise httpx.ReadTimeout("lost", request=request)
        return response


def problem(status: int, code: str, **extra: Any) -> JSONResponse:
    return JSONResponse({"type": "about:blank", "title": code, "status": status, "code": code, **extra}, status)
