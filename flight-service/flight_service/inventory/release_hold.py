"""The deed behind POST .../release: give seats back, all of a hold's or those of some travellers on some flights.

Releasing twice changes nothing the second time. An id nobody has used leaves a tombstone: the hold cannot arrive
afterwards.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from flight_service.inventory import store
from flight_service.inventory.hold import StoredHold
from flight_service.inventory.retrying import until_unmoved
from rihla.kernel import Clock

Item = tuple[UUID, UUID]
"""(passenger id, flight id)."""


async def release_hold(
    pool: "asyncpg.Pool[Any]", clock: Clock, hold_id: UUID, items: Sequence[Item] | None
) -> StoredHold:
    """Release `items`, or the whole hold when None. The hold as it is afterwards."""

    async def attempt(_: int) -> StoredHold:
        async with pool.acquire() as connection:
            await store.release(connection, hold_id, items, clock.now())
            return (await store.read_holds(connection, [hold_id]))[hold_id]

    return await until_unmoved(attempt)
