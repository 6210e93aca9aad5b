"""A network between the payment company and the gateway that can lose, delay, repeat and reorder webhooks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

_HEADERS = ("Sandbox-Signature", "Content-Type")
_PATH = "/v1/webhooks/sandbox"


@dataclass
class WebhookNetwork:
    """Passes webhooks on as they come until `mode` says otherwise: `loses`, `repeats` or `shuffles`."""

    gateway_url: Callable[[], str]
    rng: random.Random
    mode: str = "passes"
    counts: dict[str, int] = field(default_factory=dict)
    _client: aiohttp.ClientSession | None = None
    _kept: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[None]:
        """Listen on `port` for as long as the block lasts."""
        app = web.Application()
        app.router.add_post(_PATH, self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8))
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield
        finally:
            await runner.cleanup()
            for task in self._tasks:
                task.cancel()
            await self._client.close()

    async def disturb(self, mode: str, seconds: float) -> None:
        """Be unkind for so long, then pass on what was kept back, in another order."""
        self.mode = mode
        await asyncio.sleep(seconds)
        self.mode = "passes"
        kept, self._kept = self._kept, []
        self.rng.shuffle(kept)
        await asyncio.gather(*(self._deliver(*one) for one in kept))

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
        mode = self.mode
        self.counts[mode] = self.counts.get(mode, 0) + 1
        if mode == "loses" and self.rng.random() < 0.7:
            return web.Response(status=502)
        if mode == "shuffles":
            self._kept.append((body, headers))
            return web.Response(status=200)
        status = await self._post(body, headers)
        if mode == "repeats":
            for _ in range(self.rng.randint(1, 3)):
                self._later(self.rng.uniform(0, 3), body, headers)
        return web.Response(status=status)

    def _later(self, seconds: float, body: bytes, headers: Mapping[str, str]) -> None:
        async def send() -> None:
            await asyncio.sleep(seconds)
            await self._post(body, headers)

        task = asyncio.create_task(send())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, body: bytes, headers: Mapping[str, str]) -> None:
        """What we told the company we have must arrive: again and again, as a mail server would."""
        for _ in range(240):
            if 200 <= await self._post(body, headers) < 300:
                return
            await asyncio.sleep(0.5)

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        assert self._client is not None
        try:
            async with self._client.post(self.gateway_url() + _PATH, data=body, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 502
