"""Read-only connections to the databases of a stack."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

Rows = list[Any]


@dataclass(frozen=True)
class Databases:
    """One connection a service, each in a repeatable-read, read-only transaction of its own."""

    connections: Mapping[str, Any]

    async def rows(self, service: str, query: str, *arguments: object) -> Rows:
        """What the query says."""
        return list(await self.connections[service].fetch(query, *arguments))

    def has(self, service: str) -> bool:
        """Whether the stack has this service's database."""
        return service in self.connections


@asynccontextmanager
async def connect(urls: Mapping[str, str]) -> AsyncIterator[Databases]:
    """Connections by service name (`booking`, `flight`, ...) for as long as the block runs."""
    async with AsyncExitStack() as stack:
        found: dict[str, Any] = {}
        for service, url in urls.items():
            connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=10, command_timeout=300)
            stack.push_async_callback(connection.close)
            transaction = connection.transaction(isolation="repeatable_read", readonly=True)
            await transaction.start()
            found[service] = connection
        yield Databases(found)
