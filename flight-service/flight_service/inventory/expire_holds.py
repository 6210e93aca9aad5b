"""The sweeper: expired holds give their seats back even if nobody wants them and booking-service is gone.

Several workers may sweep at once: each takes rows the others have not locked (SKIP LOCKED).
"""

import asyncio
from typing import Any

import asyncpg

from flight_service.inventory import store
from flight_service.inventory.retrying import until_unmoved
from rihla.kernel import Clock
from rihla.telemetry import Counter

EXPIRED = Counter("flight_inventory_holds_expired_total", "Holds whose seats the sweeper gave back")
_AT_ONCE = 100


async def expire_holds(pool: "asyncpg.Pool[Any]", clock: Clock) -> int:
    """Expire every hold whose time is over; how many there were."""

    async def attempt(_: int) -> int:
        async with pool.acquire() as connection:
            return await store.expire(connection, clock.now(), _AT_ONCE)

    total = 0
    while True:
        done = await until_unmoved(attempt)
        total += done
        EXPIRED.inc(done)
        if done < _AT_ONCE:
            return total


async def sweep(pool: "asyncpg.Pool[Any]", clock: Clock, stop: asyncio.Event, *, every_seconds: float = 5.0) -> None:
    """The worker's loop."""
    while not stop.is_set():
        await expire_holds(pool, clock)
        try:
            await asyncio.wait_for(stop.wait(), every_seconds)
        except TimeoutError:
            continue
