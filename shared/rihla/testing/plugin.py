"""The pytest plugin: real servers, a fresh database and a broker namespace for each test, clocks and tokens."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from rihla.kernel import FixedClock, new_id
from rihla.testing.databases import fresh_database
from rihla.testing.keyring import Keyring
from rihla.testing.patience import always_the_same_examples, be_patient, patient_redis
from rihla.testing.servers import Servers, servers
from rihla.testing.stock import drop_what_was_made_ahead

ROOT = Path(__file__).resolve().parents[3]
DatabaseFor = Callable[[str], Awaitable[str]]


def pytest_configure() -> None:
    """Before any test module is read: what is drawn and how long things may take does not differ from run to run."""
    be_patient()
    always_the_same_examples()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of minutes come first: at the end every other test worker would stand idle beside them."""
    items.sort(key=lambda item: item.get_closest_marker("takes_minutes") is None)


@pytest.fixture(scope="session")
def real_servers() -> Iterator[Servers]:
    """PostgreSQL, Redis and RabbitMQ."""
    with servers() as found:
        yield replace(found, redis_url=patient_redis(found.redis_url))
        drop_what_was_made_ahead()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """Internal keys of every service."""
    return Keyring()


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at 2026-12-01 08:00 UTC."""
    return FixedClock(datetime(2026, 12, 1, 8, 0, tzinfo=UTC))


@pytest.fixture
def redis_url(real_servers: Servers) -> str:
    return real_servers.redis_url


@pytest.fixture
def amqp_url(real_servers: Servers) -> str:
    return real_servers.amqp_url


@pytest_asyncio.fixture
async def database_for(real_servers: Servers) -> AsyncIterator[DatabaseFor]:
    """`await database_for("booking-service")` gives the URL of a fresh, migrated database of this test's own."""
    async with AsyncExitStack() as stack:

        async def make(service: str) -> str:
            return await stack.enter_async_context(fresh_database(real_servers.database_url, ROOT / service))

        yield make


@pytest_asyncio.fixture
async def namespace(amqp_url: str, redis_url: str) -> AsyncIterator[str]:
    """A prefix for exchanges, queues and Redis keys of this test's own; what was made under it is removed."""
    from rihla.testing.namespaces import remove_namespace

    name = f"t{new_id().hex[-16:]}"
    yield name
    await remove_namespace(name, amqp_url, redis_url)
