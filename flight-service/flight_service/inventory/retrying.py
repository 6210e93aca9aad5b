"""Read, decide, write under what was read; again from a fresh read when somebody was quicker."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from flight_service.inventory.problems import InventoryBusy
from flight_service.inventory.store import Moved
from rihla.telemetry import Counter

MOVED = Counter("flight_inventory_moved_total", "Decisions taken again because others moved what had been read")
Result = TypeVar("Result")
_FIRST_PAUSE = 0.002


async def until_unmoved(attempt: Callable[[int], Awaitable[Result]], *, tries: int = 8) -> Result:
    """The result of `attempt(number)`, called again when it raises Moved, after a jittered pause that grows.

    Raises InventoryBusy when all tries were overtaken; nothing was changed then.
    """
    for number in range(tries):
        try:
            return await attempt(number)
        except Moved:
            MOVED.inc()
            await asyncio.sleep(_FIRST_PAUSE * 2**number * random.random())
    raise InventoryBusy("Many people are buying these seats at this moment; try again in a second.")
