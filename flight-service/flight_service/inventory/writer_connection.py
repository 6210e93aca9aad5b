"""The connection a writer of the inventory keeps."""

from typing import Any

import asyncpg

from flight_service.inventory.store import Moved
from rihla.db.kept_connection import BY_KEY, KeptConnection


def writer_connection(pool: "asyncpg.Pool[Any]") -> KeptConnection:
    """A version that moved leaves the connection as it was: what follows is the next try."""

    async def the_pool() -> "asyncpg.Pool[Any]":
        return pool

    return KeptConnection(the_pool, harmless=lambda error: isinstance(error, Moved), setting_up=BY_KEY)
