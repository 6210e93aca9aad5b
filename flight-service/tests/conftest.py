"""The service in process on a database that holds the seeded network."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from flight_service.main import create_app
from flight_service.migrate import SERVICE_ROOT
from flight_service.network.load_network import load_network
from flight_service.settings import Settings
from rihla.db import Database
from rihla.db.migrations import upgrade
from rihla.kernel import FixedClock, new_id
from rihla.testing import running
from rihla.testing.databases import with_database
from rihla.testing.keyring import Keyring
from rihla.testing.servers import Servers
from rihla.testing.stock import cloned

DAYS = 9
_LOCK = 7_421_150


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256(str(DAYS).encode())
    folders = (root / "migrations", *(root / "flight_service" / name for name in ("network", "fares", "catalogue")))
    for script in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(script.read_bytes())
    digest.update((root / "flight_service" / "schedules" / "generate_flights.py").read_bytes())
    return digest.hexdigest()[:12]


async def _template(admin_url: str, clock: FixedClock) -> str:
    """A database with the seeded network, made once and cloned by each test."""
    admin = await asyncpg.connect(admin_url)
    name = f"tpl_flight_network_{_fingerprint(SERVICE_ROOT)}"
    try:
        await admin.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            making = f"{name}_{new_id().hex[-8:]}"
            await admin.execute(f'CREATE DATABASE "{making}"')
            url = with_database(admin_url, making)
            await asyncio.to_thread(upgrade, SERVICE_ROOT, url)
            db = Database(url, pool_size=2, statement_timeout_ms=120_000)
            await load_network(db, now=clock.now(), days_ahead=DAYS)
            await db.close()
            await admin.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    finally:
        await admin.close()
    return name


@asynccontextmanager
async def _network_database(admin_url: str, clock: FixedClock) -> AsyncIterator[str]:
    """A clone of the template, dropped afterwards."""
    async with cloned(admin_url, await _template(admin_url, clock)) as url:
        yield url


@pytest_asyncio.fixture
async def network_url(real_servers: Servers, clock: FixedClock) -> AsyncIterator[str]:
    """The URL of a database of this test's own: the seeded network, flights of nine days around the clock's."""
    async with _network_database(real_servers.database_url, clock) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Service:
    """The running service and what tests do with it."""

    client: httpx.AsyncClient
    app: FastAPI
    keyring: Keyring
    url: str
    clock: FixedClock

    def headers(self, *, roles: tuple[str, ...] = ("traveller",), **claims: Any) -> dict[str, str]:
        token = self.keyring.token(audience="flight", user_id=new_id(), roles=roles, issuer="gateway", **claims)
        return {"authorization": f"Bearer {token}"}

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params, headers=self.headers())

    async def search(self, **params: Any) -> list[dict[str, Any]]:
        """Offers of a search that must succeed."""
        answer = await self.get("/v1/flight-offers", **{"departure_date": self.day(3), **params})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def admin(self, method: str, path: str, json: Any = None) -> httpx.Response:
        return await self.client.request(method, path, json=json, headers=self.headers(roles=("admin",)))

    def day(self, ahead: int) -> str:
        """The date so many days after the clock's."""
        return (self.clock.now() + timedelta(days=ahead)).date().isoformat()

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Run one statement as the database's owner would."""
        connection = await asyncpg.connect(self.url)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return rows
        finally:
            await connection.close()


MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="session")
def settings_for(keyring: Keyring, real_servers: Servers) -> MakeSettings:
    """Settings for a database: `settings_for(url, offer_minutes=5)`."""

    def make(url: str, **more: Any) -> Settings:
        servers = {"redis_url": real_servers.redis_url, "amqp_url": real_servers.amqp_url}
        return Settings(database_url=url, db_pool_size=6, **servers, **keyring.settings("flight"), **more)

    return make


@pytest_asyncio.fixture
async def service(
    network_url: str, settings_for: MakeSettings, keyring: Keyring, clock: FixedClock
) -> AsyncIterator[Service]:
    """The API on the seeded network, at 2026-12-01 08:00 UTC."""
    app = create_app(settings_for(network_url), clock=clock)
    async with running(app) as client:
        yield Service(client, app, keyring, network_url, clock)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reading(real_servers: Servers, settings_for: MakeSettings, keyring: Keyring) -> AsyncIterator[Service]:
    """The same, shared by a module whose tests change nothing (mark them with loop_scope="module")."""
    clock = FixedClock(datetime(2026, 12, 1, 8, 0, tzinfo=UTC))
    async with _network_database(real_servers.database_url, clock) as url:
        app = create_app(settings_for(url), clock=clock)
        async with running(app) as client:
            yield Service(client, app, keyring, url, clock)
