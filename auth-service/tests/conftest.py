"""The service in process on real servers; only notification-service is a small application of our own."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request

from auth_service.main import create_app
from auth_service.settings import Settings
from auth_service.worker import create_worker
from rihla.http import ServiceClient
from rihla.kernel import FixedClock, new_id
from rihla.testing import eventually, running
from rihla.testing.keyring import Keyring

PASSWORD = "four wild geese over Sylhet"


@dataclass
class Mailbox:
    """What notification-service was asked to send."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    def app(self) -> FastAPI:
        """A real application behind the transport seam."""
        app = FastAPI()

        @app.post("/internal/v1/codes", status_code=202)
        async def codes(request: Request) -> dict[str, str]:
            assert request.headers["authorization"].startswith("Bearer ")
            if self.down:
                raise httpx.ConnectError("away")
            self.messages.append(await request.json())
            return {"status": "accepted"}

        return app

    def sent_to(self, address: str, purpose: str | None = None) -> list[dict[str, Any]]:
        """Messages to an address, the oldest first."""
        return [m for m in self.messages if m["address"] == address and purpose in (None, m["purpose"])]


@dataclass
class Auth:
    """A running auth-service, its worker, and people talking to it through a gateway's tokens."""

    client: httpx.AsyncClient
    app: FastAPI
    worker: FastAPI
    keyring: Keyring
    clock: FixedClock
    mail: Mailbox
    settings: Settings
    pauses: list[float]

    def headers(self, user: "Person | None" = None, *, ip: str = "203.0.113.7", agent: str = "") -> dict[str, str]:
        """What the gateway sends for somebody."""
        if user is None:
            token = self.keyring.token(audience="auth")
        else:
            token = self.keyring.token(
                audience="auth", user_id=user.id, roles=tuple(user.roles), sid=str(user.session_id)
            )
        return {
            "authorization": f"Bearer {token}",
            "x-client-ip": ip,
            "x-client-agent": agent or "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0",
        }

    async def post(self, path: str, body: Any = None, user: "Person | None" = None, **kwargs: Any) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.headers(user, **kwargs))

    async def get(self, path: str, user: "Person | None" = None, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params, headers=self.headers(user))

    async def patch(self, path: str, body: Any, user: "Person | None" = None) -> httpx.Response:
        return await self.client.patch(path, json=body, headers=self.headers(user))

    async def put(self, path: str, body: Any, user: "Person | None" = None) -> httpx.Response:
        return await self.client.put(path, json=body, headers=self.headers(user))

    async def delete(self, path: str, user: "Person | None" = None, body: Any = None) -> httpx.Response:
        return await self.client.request("DELETE", path, json=body, headers=self.headers(user))

    async def code_for(self, address: str, purpose: str, count: int = 1) -> str:
        """The newest code that came to an address, once `count` messages have."""
        await eventually(lambda: len(self.mail.sent_to(address, purpose)) >= count, what=f"{purpose} to {address}")
        return str(self.mail.sent_to(address, purpose)[-1]["code"])

    async def registered(self, email: str = "amina@example.com", *, password: str = PASSWORD) -> "Person":
        """Somebody with a verified account, signed in."""
        before = len(self.mail.sent_to(email, "verify"))
        answer = await self.post(
            "/v1/auth/register", {"email": email, "password": password, "full_name": "Amina Rahman"}
        )
        assert answer.status_code == 201, answer.text
        code = await self.code_for(email, "verify", before + 1)
        answer = await self.post("/v1/auth/verify", {"identifier": email, "code": code})
        assert answer.status_code == 200, answer.text
        return Person.of(answer.json(), email)

    async def login(self, email: str = "amina@example.com", *, password: str = PASSWORD, **kwargs: Any) -> "Person":
        """Somebody signed in once more."""
        answer = await self.post("/v1/auth/login", {"identifier": email, "password": password}, **kwargs)
        assert answer.status_code == 200, answer.text
        return Person.of(answer.json(), email)

    async def sql(self, query: str, *args: Any) -> list[Any]:
        """Look into the database."""
        pool = await self.app.state.container.db.asyncpg_pool()
        return list(await pool.fetch(query, *args))

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """Events of one type that wait in the outbox."""
        rows = await self.sql("SELECT envelope FROM outbox WHERE type = $1 ORDER BY position", kind)
        return [json.loads(row["envelope"]) for row in rows]


@dataclass
class Person:
    """Somebody signed in."""

    id: UUID
    session_id: UUID
    roles: list[str]
    access_token: str
    refresh_token: str
    email: str

    @classmethod
    def of(cls, pair: dict[str, Any], email: str) -> "Person":
        claims = claims_of(pair["access_token"])
        return cls(
            UUID(claims["sub"]),
            UUID(claims["sid"]),
            claims["roles"],
            pair["access_token"],
            pair["refresh_token"],
            email,
        )


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    payload = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return decoded


@asynccontextmanager
async def running_auth(
    settings: Settings, keyring: Keyring, clock: FixedClock, provider: FastAPI | None = None
) -> AsyncIterator[Auth]:
    """API and worker (without its relay, so that events stay to be looked at) on one database."""
    mail, pauses = Mailbox(), []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    client = ServiceClient(
        "http://notification.test",
        audience="notification",
        signer=keyring.signer("auth"),
        transport=httpx.ASGITransport(mail.app(), raise_app_exceptions=True),
    )
    transport = httpx.ASGITransport(provider) if provider else None
    app = create_app(settings, clock=clock, pause=pause, provider_transport=transport)
    worker = create_worker(settings, clock=clock, client=client, relay=False)
    async with running(app) as http, running(worker):
        yield Auth(http, app, worker, keyring, clock, mail, settings, pauses)


@pytest.fixture
def clock() -> FixedClock:
    """Internal tokens are checked against the machine's clock; everything else against this one."""
    return FixedClock(datetime.fromisoformat("2026-12-01T08:00:00+00:00"))


@pytest.fixture
def own_namespace() -> str:
    """A prefix of this test's own. Nothing is declared in the broker under it, and its Redis keys expire."""
    return f"t{new_id().hex[-16:]}"


@pytest_asyncio.fixture
async def settings(
    database_for: Callable[[str], Awaitable[str]], keyring: Keyring, own_namespace: str, redis_url: str, amqp_url: str
) -> Settings:
    return Settings(
        database_url=await database_for("auth-service"),
        namespace=own_namespace,
        redis_url=redis_url,
        amqp_url=amqp_url,
        **keyring.settings("auth"),
    )


@pytest_asyncio.fixture
async def auth(settings: Settings, keyring: Keyring, clock: FixedClock) -> AsyncIterator[Auth]:
    async with running_auth(settings, keyring, clock) as auth:
        yield auth


@pytest.fixture
def run_auth() -> Any:
    """Run the service with settings of a test's own."""
    return running_auth
