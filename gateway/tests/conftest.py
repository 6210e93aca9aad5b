"""The gateway on a real socket, in front of small real services that verify internal tokens, with real Redis."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import httpx
import pytest
import pytest_asyncio
import redis.asyncio as redis
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse

# pytest names this file `gateway.tests.conftest` and for that makes a package of the *folder* gateway/; ours must win.
if not getattr(sys.modules.get("gateway"), "__file__", None):
    sys.modules.pop("gateway", None)

from gateway.identity import auth_client
from gateway.main import create_app, server_config
from gateway.routes import ROUTES
from gateway.settings import Settings
from rihla.auth import InvalidToken, TokenSigner, TokenVerifier
from rihla.kernel import new_id
from rihla.testing import eventually
from rihla.testing.keyring import Keyring, new_key, public_part

ISSUER = "http://gateway.test"


class OneServer:
    """A service on a port, which can be stopped and started again there."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.url = ""
        self.server: uvicorn.Server | None = None
        self._stack: AsyncExitStack | None = None

    def _told(self, server: uvicorn.Server) -> None:
        self.server = server

    async def start(self) -> str:
        """Serve, at the same port as before if there was one."""
        port = int(self.url.rsplit(":", 1)[1]) if self.url else 0
        self._stack = AsyncExitStack()
        self.url = await self._stack.enter_async_context(serving(self.app, port=port, told=self._told))
        return self.url

    def hurry(self) -> None:
        """Begin to stop; several servers then stop together."""
        if self.server is not None:
            self.server.should_exit = True

    async def stop(self) -> None:
        """Serve no more."""
        if self._stack is not None:
            stack, self._stack = self._stack, None
            await stack.aclose()


@asynccontextmanager
async def serving(
    app: Any,
    config: uvicorn.Config | None = None,
    *,
    port: int = 0,
    told: Callable[[uvicorn.Server], None] | None = None,
) -> AsyncIterator[str]:
    """`app` on a free port of this machine, in this event loop; gives its base URL, and tells `told` the server."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(
        config or uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    server.capture_signals = nullcontext  # type: ignore[assignment,method-assign]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await eventually(lambda: server.started or task.done())
        if task.done():
            task.result()
            raise RuntimeError("the server did not start")
        if told is not None:
            told(server)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def send_raw(url: str, data: bytes, timeout: float = 60.0) -> bytes:
    """Send bytes as they are; everything that comes back until the server closes."""
    host = urlsplit(url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    writer.write(data)
    await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(), timeout)
    finally:
        writer.close()


async def send_raw_get(url: str, target: str) -> tuple[int, bytes]:
    """GET with this request target, unchanged; the status, and all that came back."""
    answer = await send_raw(url, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % target.encode())
    return int(answer.split(b" ", 2)[1]), answer


@pytest.fixture
def raw() -> Callable[..., Awaitable[bytes]]:
    """Requests that no well-behaved client would send."""
    return send_raw


@pytest.fixture
def raw_get() -> Callable[..., Awaitable[tuple[int, bytes]]]:
    """The same, only the request target is free."""
    return send_raw_get


@pytest.fixture
def make_token() -> Callable[..., str]:
    """`make_token(key, user, session, roles, **claims)`: an access token as auth-service makes them."""
    return access_token


class FakeService:
    """A service as small as can be: it takes internal tokens for its own audience only, and remembers what it was
    asked."""

    def __init__(self, name: str, keyring: Keyring) -> None:
        self.name = name
        self.verifier = TokenVerifier(keyring.jwks, name)
        self.seen: list[dict[str, Any]] = []
        self.app = FastAPI(title=name)
        self.ready = True
        self.release = asyncio.Event()

        @self.app.get("/health/ready", include_in_schema=False)
        async def ready() -> Response:
            return Response(status_code=200 if self.ready else 503)

    def note(self, request: Request, body: bytes = b"") -> dict[str, Any]:
        """Remember a request; raises InvalidToken unless the internal token holds."""
        principal = self.verifier.verify(request.headers["authorization"].removeprefix("Bearer "))
        seen = {
            "service": self.name,
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": [[name.decode(), value.decode()] for name, value in request.scope["headers"]],
            "kind": principal.kind,
            "user": str(principal.subject) if principal.subject else None,
            "roles": sorted(principal.roles),
            "scopes": sorted(principal.scopes),
            "test_mode": principal.test_mode,
            "body": body.decode("latin-1")[:2000],
            "length": len(body),
        }
        self.seen.append(seen)
        return seen

    def echo(self, method: str, path: str, name: str) -> None:
        """An operation that answers with what it saw."""

        async def operation(request: Request) -> Response:
            try:
                return JSONResponse(self.note(request, await request.body()), headers={"server": "secret/1.0"})
            except InvalidToken as error:
                return JSONResponse({"refused": repr(error)}, 418)

        named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        shape = [{"name": each, "in": "path", "required": True, "schema": {"type": "string"}} for each in named]
        extra = {"parameters": shape} if shape else None
        self.app.add_api_route(path, operation, methods=[method], name=name, operation_id=name, openapi_extra=extra)


@dataclass
class FakeAuth:
    """The part of auth-service the gateway talks to."""

    service: FakeService
    keys: list[dict[str, str]] = field(default_factory=lambda: [new_key(f"access{new_id().hex[-6:]}-1")])
    revocations: list[dict[str, Any]] = field(default_factory=list)
    api_keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    exchanges: int = 0
    key_set_asked: int = 0
    hide_revocations: bool = False

    def install(self) -> None:
        app = self.service.app

        @app.get("/.well-known/jwks.json")
        async def jwks() -> dict[str, Any]:
            self.key_set_asked += 1
            return {"keys": [public_part(key) for key in self.keys]}

        @app.get("/internal/v1/revocations")
        async def revocations(request: Request, after: int = 0) -> dict[str, Any]:
            self._only_gateway(request)
            items = [] if self.hide_revocations else [item for item in self.revocations if item["seq"] > after]
            last = items[-1]["seq"] if items else after
            return {"items": items, "last_seq": last}

        @app.post("/internal/v1/api-keys/exchange")
        async def exchange(request: Request) -> Response:
            self._only_gateway(request)
            self.exchanges += 1
            found = self.api_keys.get((await request.json())["key"])
            return JSONResponse(found) if found else JSONResponse({"code": "invalid-api-key"}, 401)

    def _only_gateway(self, request: Request) -> None:
        principal = self.service.verifier.verify(request.headers["authorization"].removeprefix("Bearer "))
        assert principal.service == "gateway"

    def revoke(self, kind: str, id_: str, at: str = "2100-01-01T00:00:00Z") -> dict[str, Any]:
        """Add an entry; `at` far ahead, so that it concerns whatever was issued until then."""
        entry = {"seq": len(self.revocations) + 1, "kind": kind, "id": id_, "at": at}
        self.revocations.append(entry)
        return entry


@dataclass
class Person:
    """Somebody signed in."""

    user_id: UUID
    session_id: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Stack:
    """A running gateway with its services."""

    url: str
    client: httpx.AsyncClient
    auth: FakeAuth
    services: dict[str, FakeService]
    gateway: Any
    namespace: str
    redis: Any
    servers: dict[str, list[OneServer]]

    def sign_in(self, *roles: str, **claims: Any) -> Person:
        """A person with a fresh access token."""
        user, session = claims.pop("user", None) or new_id(), claims.pop("session", None) or new_id()
        return Person(user, session, access_token(self.auth.keys[-1], user, session, roles or ("traveller",), **claims))

    def partner(self, key: str = "rk_test_abcdefgh12345678", **changes: Any) -> dict[str, str]:
        """A known API key; gives the headers to send."""
        self.auth.api_keys[key] = {
            "key_id": str(new_id()),
            "user_id": str(new_id()),
            "organisation_id": str(new_id()),
            "scopes": ["bookings:write", "offers:read"],
            "test_mode": key.startswith("rk_test_"),
            "roles": ["partner"],
            "rate_limit_per_minute": 300,
            "expires_at": None,
            **changes,
        }
        return {"X-API-Key": key}


def access_token(
    key: dict[str, str], user: Any, session: Any, roles: Any, *, token_type: str = "at+jwt", **claims: Any
) -> str:
    """An access token as auth-service makes them."""
    now = int(time.time())
    return TokenSigner(json.dumps(key)).sign(
        {
            "iss": ISSUER,
            "aud": "rihla",
            "sub": str(user),
            "sid": str(session),
            "roles": list(roles) if isinstance(roles, tuple) else roles,
            "iat": now,
            "exp": now + 600,
            **claims,
        },
        token_type=token_type,
    )


def _flight(keyring: Keyring) -> FakeService:
    service = FakeService("flight", keyring)
    for method, path, name in (
        ("GET", "/v1/flights", "list_flights"),
        ("GET", "/v1/flights/{flight_id}", "read_flight"),
        ("GET", "/v1/flight-offers", "search_offers"),
        ("POST", "/v1/flight-offers", "search_more"),
        ("PUT", "/internal/v1/holds/{hold_id}", "put_hold"),
        ("GET", "/v1/admin/fares", "list_fares"),
        ("PUT", "/v1/admin/fares/{schedule_id}", "put_fares"),
    ):
        service.echo(method, path, name)
    service.app.state.airports = 0

    @service.app.get("/v1/airports")
    async def airports(request: Request) -> Response:
        seen = service.note(request)
        service.app.state.airports += 1
        if "slow" in seen["query"]:
            await asyncio.sleep(0.1)
        if "private" in seen["query"]:
            return JSONResponse({"items": []}, headers={"cache-control": "private"})
        return JSONResponse({"items": ["DAC"], "asked": service.app.state.airports, "test": seen["test_mode"]})

    return service


def _booking(keyring: Keyring) -> FakeService:
    service = FakeService("booking", keyring)
    for method, path, name in (
        ("GET", "/v1/bookings", "list_bookings"),
        ("POST", "/v1/bookings", "place_booking"),
        ("POST", "/v1/bookings/lookup", "look_up"),
        ("GET", "/v1/bookings/{booking_id}", "read_booking"),
        ("GET", "/v1/admin/bookings", "search_bookings"),
    ):
        service.echo(method, path, name)
    app = service.app

    @app.get("/v1/bookings/{booking_id}/tickets.pdf")
    async def tickets(booking_id: str) -> Response:
        async def pages() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b"p" * 25_000

        return StreamingResponse(pages(), media_type="application/pdf")

    @app.get("/v1/bookings/{booking_id}/broken")
    async def broken(booking_id: str) -> Response:
        async def pages() -> AsyncIterator[bytes]:
            yield b"p" * 300_000
            raise OSError("the disk is gone")

        return StreamingResponse(pages(), media_type="application/pdf")

    @app.get("/v1/bookings/{booking_id}/wait")
    async def wait(booking_id: str) -> dict[str, str]:
        await service.release.wait()
        return {"waited": "yes"}

    @app.get("/v1/bookings/{booking_id}/problem")
    async def problem(booking_id: str) -> Response:
        return JSONResponse({"code": "offer-changed"}, 409, media_type="application/problem+json")

    return service


def _chat(keyring: Keyring) -> FakeService:
    service = FakeService("chat", keyring)

    @service.app.websocket("/v1/chat/ws")
    async def chat(socket: WebSocket) -> None:
        principal = service.verifier.verify(socket.headers["authorization"].removeprefix("Bearer "))
        wanted = socket.headers.get("sec-websocket-protocol", "").split(",")[0].strip() or None
        if "slow" in socket.url.query:
            service.seen.append({"path": "slow"})
            await service.release.wait()
        await socket.accept(subprotocol=wanted)
        await socket.send_json({"user": str(principal.subject), "query": socket.url.query})
        async for text in socket.iter_text():
            if text == "bye":
                await socket.close(4000)
                return
            await socket.send_text(f"echo {text}")

    service.echo("POST", "/v1/chat/assistant/questions", "ask_assistant")

    @service.app.post("/v1/chat/attachments")
    async def attach(request: Request) -> dict[str, int]:
        service.verifier.verify(request.headers["authorization"].removeprefix("Bearer "))
        length = 0
        async for piece in request.stream():
            length += len(piece)
        return {"length": length}

    return service


def _simple(name: str, keyring: Keyring, *operations: tuple[str, str, str]) -> FakeService:
    service = FakeService(name, keyring)
    for method, path, operation in operations:
        service.echo(method, path, operation)
    return service


def make_services(keyring: Keyring) -> tuple[dict[str, FakeService], FakeAuth]:
    """One of each."""
    auth_service = _simple(
        "auth", keyring,
        ("GET", "/v1/me", "read_me"), ("POST", "/v1/auth/login", "sign_in"), ("POST", "/v1/auth/refresh", "refresh"),
        ("GET", "/v1/admin/users", "list_users"),
    )  # fmt: skip
    auth = FakeAuth(auth_service)
    auth.install()
    services = {
        "auth": auth_service,
        "flight": _flight(keyring),
        "booking": _booking(keyring),
        "payment": _simple(
            "payment", keyring, ("POST", "/v1/payments", "pay"), ("POST", "/v1/webhooks/stripe", "on_stripe")
        ),
        "chat": _chat(keyring),
    }
    return services, auth


Start = Callable[..., Awaitable[Stack]]


@pytest_asyncio.fixture
async def start(keyring: Keyring, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """`await start(limit_read_per_user=5, redis_url=...)` runs services and a gateway with these settings; those in
    `beyond` may be more than anybody outside may set."""
    monkeypatch.setattr(auth_client, "_TIMEOUT", aiohttp.ClientTimeout(total=60, sock_connect=20))
    namespace = f"gw{new_id().hex[-12:]}"
    running: list[OneServer] = []
    async with AsyncExitStack() as stack:

        async def run(
            *,
            without: tuple[str, ...] = (),
            instances: dict[str, int] | None = None,
            routes: Any = None,
            beyond: dict[str, Any] | None = None,
            **changes: Any,
        ) -> Stack:
            services, auth = make_services(keyring)
            instances = instances or {}
            servers: dict[str, list[OneServer]] = {}
            for name, service in services.items():
                if name not in without:
                    servers[name] = [OneServer(service.app) for _ in range(instances.get(name, 1))]
            await asyncio.gather(*(server.start() for some in servers.values() for server in some))
            urls = {f"{name}_url": ",".join(server.url for server in some) for name, some in servers.items()}
            running.extend(server for some in servers.values() for server in some)
            values = {**keyring.settings("gateway"), **urls, "redis_url": redis_url, "namespace": namespace}
            values |= {"public_url": ISSUER, "access_log": False, "connect_timeout": 20, **changes}
            settings = Settings(**values).model_copy(update=beyond)
            app = create_app(settings, routes=routes or ROUTES)
            url = await stack.enter_async_context(serving(app, _config(app, settings)))
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
            cache = redis.from_url(redis_url)
            stack.push_async_callback(cache.aclose)
            return Stack(url, client, auth, services, app, namespace, cache, servers)

        yield run
        for server in running:
            server.hurry()
    await asyncio.gather(*(server.stop() for server in running))
    async with redis.from_url(redis_url) as cache:
        async for key in cache.scan_iter(match=f"{namespace}:*", count=500):
            await cache.delete(key)


def _config(app: Any, settings: Settings) -> uvicorn.Config:
    config = server_config(app, settings)
    config.timeout_graceful_shutdown = 1
    return config


@pytest_asyncio.fixture
async def stack(start: Start) -> Stack:
    """A gateway with the settings everybody gets."""
    return await start()
