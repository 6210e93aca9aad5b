"""Putting holds on the inventory: exact under races, all or nothing, each answered for itself."""

import asyncio

from flight_service.inventory.hold_seats import HoldSeats, Taken
from flight_service.inventory.problems import NotEnoughSeats


async def test_two_hundred_buyers_of_forty_seats_take_exactly_forty(pool, inventory, make_hold, clock):
    flight = await inventory.flight(40)
    writers = [HoldSeats(pool, clock) for _ in range(4)]
    holds = [make_hold(flight) for _ in range(200)]
    groups = [holds[start : start + 5] for start in range(0, 200, 5)]
    answers = await asyncio.gather(*(writers[n % 4].group(group) for n, group in enumerate(groups)))
    flat = [answer for group in answers for answer in group]
    assert sum(isinstance(answer, Taken) for answer in flat) == 40
    assert sum(isinstance(answer, NotEnoughSeats) for answer in flat) == 160
    assert await inventory.counters(flight) == (0, 40, 0)
    assert await inventory.drift() == []
