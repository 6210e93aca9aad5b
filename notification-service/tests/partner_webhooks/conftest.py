"""Partners with keys, and an HTTP server of theirs that notes what it is sent."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from notification_service.main import create_app
from rihla.kernel import new_id
from rihla.testing import running

Json = dict[str, Any]
PATH = "/v1/webhook-endpoints"
SCOPES = ("webhooks:write",)


@dataclass
class Call:
    """One request the receiver got."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.body)
        return found

    def signed_by(self, secret: str) -> bool:
        """Checked as Standard Webhooks says, in words of this test's own."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """`answers` are given one after the other, then 200; while `held` is unset no answer comes below /slow."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: list[Callable[[], web.StreamResponse] | int] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(Call(request.path, dict(request.headers), await request.read()))
        if request.path.startswith("/slow"):
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await self.held.wait()
            finally:
                self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else 200
        return web.Response(status=answer, text="said by the shop") if isinstance(answer, int) else answer()

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    found.held.set()
    await runner.cleanup()


@pytest.fixture
def settings(settings: Any) -> Any:
    return settings.model_copy(update={"webhook_local_targets": True, "webhook_timeout_seconds": 60.0})


@dataclass
class Partner:
    """A key of an organisation, used on the API."""

    client: httpx.AsyncClient
    keyring: Any
    test_mode: bool = True
    scopes: tuple[str, ...] = SCOPES
    organisation_id: UUID = field(default_factory=new_id)
    user_id: UUID = field(default_factory=new_id)

    @property
    def headers(self) -> dict[str, str]:
        token = self.keyring.token(
            audience="notification",
            user_id=self.user_id,
            roles=("partner",),
            kind="partner",
            org=str(self.organisation_id),
            key_id=str(new_id()),
            scopes=list(self.scopes),
            test_mode=self.test_mode,
        )
        return {"authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str = "", **options: Any) -> httpx.Response:
        return await self.client.request(method, PATH + path, headers=self.headers, **options)

    async def endpoint(self, url: str, *event_types: str) -> Json:
        body = {"url": url, "event_types": event_types or ["booking.confirmed"]}
        answer = await self.call("POST", json=body)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    async def deliveries(self, endpoint: Json) -> list[Json]:
        items: list[Json] = (await self.call("GET", f"/{endpoint['id']}/deliveries")).json()["items"]
        return items

    def booked(self, trip: Any) -> Any:
        """The trip's events as booking-service tells them when this key booked."""
        plain = trip.common
        trip.common = lambda: {**plain(), "organisation_id": self.organisation_id, "test_mode": self.test_mode}
        return trip


@pytest_asyncio.fixture
async def client(settings: Any, clock: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture
def partner(client: httpx.AsyncClient, keyring: Any) -> Partner:
    return Partner(client, keyring)


@pytest.fixture
def other(client: httpx.AsyncClient, keyring: Any) -> Partner:
    return Partner(client, keyring)
