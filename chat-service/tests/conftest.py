"""chat-service on real servers: the app in process, and instances on ports of their own with real sockets."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import httpx
import pytest
import pytest_asyncio
import uvicorn
from PIL import Image
from sqlalchemy import text

from chat_service.bootstrap import Container
from chat_service.consuming import consumer_of
from chat_service.main import create_app, server_config
from chat_service.settings import Settings
from rihla.contracts.events import Envelope, EventData
from rihla.kernel import FixedClock, new_id
from rihla.testing import eventually, running

Headers = Callable[..., dict[str, str]]


@pytest_asyncio.fixture
async def settings(
    database_for: Any, namespace: str, amqp_url: str, redis_url: str, keyring: Any, tmp_path: Path
) -> Settings:
    return Settings(
        database_url=await database_for("chat-service"),
        amqp_url=amqp_url,
        redis_url=redis_url,
        namespace=namespace,
        attachment_storage_url=f"file://{tmp_path}/attachments",
        public_url="http://service.test",
        catch_up_seconds=0.2,
        catch_up_alone_seconds=0.1,
        db_pool_size=5,
        **keyring.settings("chat"),
    )


@pytest.fixture
def as_user(keyring: Any) -> Headers:
    """Headers the gateway would send for a person."""

    def headers(user_id: UUID, *roles: str) -> dict[str, str]:
        token = keyring.token(audience="chat", user_id=user_id, roles=roles or ("traveller",))
        return {"authorization": f"Bearer {token}"}

    return headers


@dataclass
class Person:
    """Somebody with a client of the app."""

    id: UUID
    client: httpx.AsyncClient
    make_headers: Callable[[], dict[str, str]]

    @property
    def headers(self) -> dict[str, str]:
        """Of this moment: a token does not hold for long."""
        return self.make_headers()

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(method, path, headers=self.headers, **more)

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, status: int | None = None) -> Any:
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == status if status else answer.is_success, answer.text
        return answer.json()

    async def open(self) -> str:
        """The id of this person's conversation."""
        place = await self.post("/v1/chat/conversations", {"language": "en"})
        return str(place["id"])

    async def say(self, place: str, words: str, client_id: str | None = None) -> Any:
        body = {"client_id": client_id or str(new_id()), "text": words}
        return await self.post(f"/v1/chat/conversations/{place}/messages", body)


@dataclass
class Stack:
    """The app in process, with its container."""

    client: httpx.AsyncClient
    container: Container
    make_headers: Headers
    app: Any

    def person(self, *roles: str, user_id: UUID | None = None) -> Person:
        user_id = user_id or new_id()
        return Person(user_id, self.client, lambda: self.make_headers(user_id, *roles))

    async def hear(self, event: EventData, *, subject: object, sequence: int = 1) -> None:
        envelope = Envelope.of(event, subject=str(subject), sequence=sequence, time=self.container.clock.now())
        await consumer_of(self.container).handle(envelope)

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.container.db.transaction() as session:
            return list((await session.execute(text(query), values)).all())


@pytest_asyncio.fixture
async def stack(settings: Settings, clock: FixedClock, as_user: Headers) -> AsyncIterator[Stack]:
    app = create_app(settings, clock=clock)
    async with running(app) as client:
        yield Stack(client, app.state.container, as_user, app)


def picture(width: int = 800, height: int = 600, kind: str = "PNG") -> bytes:
    """A small real picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(out, kind)
    return out.getvalue()


class Line:
    """One open socket of a test, which remembers every frame it was sent."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.frames: list[dict[str, Any]] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.frames.append(json.loads(message.data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def texts(self) -> list[str]:
        return [frame["message"]["text"] for frame in self.of("message")]

    @property
    def seqs(self) -> list[int]:
        return [frame["message"]["seq"] for frame in self.of("message")]

    async def until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        await eventually(lambda: len(self.of(kind)) >= count, what=f"{count} {kind} frames, there are {self.frames}")
        return self.of(kind)

    async def send(self, kind: str, **values: Any) -> None:
        await self.ws.send_str(json.dumps({"type": kind, **values}))

    async def say(self, words: str, client_id: str | None = None, **more: Any) -> None:
        await self.send("send", client_id=client_id or str(new_id()), text=words, **more)

    async def closed(self) -> int | None:
        """The close code, once the other side closed."""
        await eventually(lambda: self.ws.closed, what="the socket to close")
        return self.ws.close_code

    async def close(self) -> None:
        await self.ws.close()
        await asyncio.gather(self._reading, return_exceptions=True)


@dataclass
class Instance:
    """One instance on a port of its own."""

    url: str
    app: Any
    http: aiohttp.ClientSession
    make_headers: Headers
    stop: Callable[[], Awaitable[None]]
    lines: list[Line] = field(default_factory=list)

    @property
    def container(self) -> Container:
        container: Container = self.app.state.container
        return container

    async def connect(self, user_id: UUID, *roles: str, query: str = "", **more: Any) -> Line:
        headers = self.make_headers(user_id, *roles)
        ws = await self.http.ws_connect(f"{self.url}/v1/chat/ws{query}", headers=headers, **more)
        line = Line(ws)
        self.lines.append(line)
        return line


@asynccontextmanager
async def serving(app: Any, settings: Settings) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    config = server_config(app, settings)
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[assignment,method-assign]
    task = asyncio.create_task(server.serve(sockets=[listener]))

    async def stop() -> None:
        server.should_exit = True
        await asyncio.wait({task}, timeout=60)

    try:
        await eventually(lambda: server.started or task.done())
        if task.done():
            task.result()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", stop
    finally:
        await stop()
        listener.close()


Start = Callable[..., Awaitable[Instance]]


@pytest_asyncio.fixture
async def start(settings: Settings, as_user: Headers) -> AsyncIterator[Start]:
    """`await start()` gives one more instance of the same service; keyword arguments are settings."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def one(**changes: Any) -> Instance:
            chosen = settings.model_copy(update=changes)
            app = create_app(chosen)
            url, stop = await stack.enter_async_context(serving(app, chosen))
            instance = Instance(url, app, http, as_user, stop)
            stack.push_async_callback(_close_lines, instance)
            return instance

        yield one


async def _close_lines(instance: Instance) -> None:
    for line in instance.lines:
        await line.close()
