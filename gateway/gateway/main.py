"""The gateway as an ASGI application: `uvicorn --factory gateway.main:create_app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import uvicorn

from gateway.bootstrap import open_container
from gateway.door.door import Door
from gateway.door.exchange import Receive, Scope, Send
from gateway.door.protocol import BoundedHttpProtocol
from gateway.door.socket_door import SocketDoor
from gateway.own_pages import OWN_PATHS, own_app
from gateway.routes import ROUTES, Route
from gateway.settings import Settings
from rihla.kernel import Clock, SystemClock
from rihla.tracing import open_provider, stop_tracing

ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gateway:
    """Plain ASGI. The container is open between `lifespan.startup` and `lifespan.shutdown`."""

    def __init__(self, settings: Settings, clock: Clock, routes: tuple[Route, ...] = ROUTES) -> None:
        self.settings = settings
        self._clock = clock
        self._routes = routes
        self._door: Door
        self._http: ASGIApp
        self._socket_door: SocketDoor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of any kind."""
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._socket_door.websocket(scope, receive, send)
        else:
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                opened = open_container(self.settings, self._clock, OWN_PATHS, self._routes)
                container = await stack.enter_async_context(opened)
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": repr(error)})
                raise
            self._door = Door(container, own_app(container))
            provider = open_provider("gateway", edge=True)
            stack.push_async_callback(stop_tracing, provider)
            self._http = traced(self._door.http, provider) if provider else self._door.http
            self._socket_door = SocketDoor(container)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            container.open_sockets.close_all()
        await send({"type": "lifespan.shutdown.complete"})


def traced(app: ASGIApp, provider: Any) -> ASGIApp:
    """The same with a span a request, which the services continue."""
    from rihla.web.trace_middleware import TraceMiddleware

    return TraceMiddleware(app, tracer=provider.get_tracer("rihla"), forward=True)


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, routes: tuple[Route, ...] = ROUTES
) -> Gateway:
    """The application; settings come from the environment when None."""
    return Gateway(settings or Settings(), clock or SystemClock(), routes)


def server_config(app: Any, settings: Settings, **more: Any) -> uvicorn.Config:
    """How uvicorn must run the gateway: bounded, silent about itself, and believing no forwarding header by itself."""
    bounds = {
        "max_head_bytes": settings.max_header_bytes
        * 2,  # up to here the door answers 431 itself, with its usual headers
        "head_seconds": settings.header_timeout,
        "max_connections": settings.max_connections_per_address,
    }
    return uvicorn.Config(
        app,
        http=type("Bounded", (BoundedHttpProtocol,), bounds),
        ws_max_size=settings.websocket_message_bytes * 2,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_config=None,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=10,
        backlog=2048,
        **more,
    )
