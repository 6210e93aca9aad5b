"""Expired holds free their seats by themselves, once, whoever else is at work."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from flight_service.inventory.confirm_hold import ConfirmHolds
from flight_service.inventory.expire_holds import expire_holds, sweep
from flight_service.inventory.hold_seats import Taken
from rihla.testing import eventually


async def statuses(pool):
    rows = await pool.fetch("SELECT status, count(*) FROM hold GROUP BY status")
    return {row[0]: row[1] for row in rows}


async def test_several_workers_expire_each_hold_once(pool, inventory, writers, make_hold, clock):
    flight = await inventory.flight(400)
    for _ in range(6):
        await writers[0].group([make_hold(flight, minutes=1) for _ in range(50)])
    await writers[0].group([make_hold(flight, minutes=30) for _ in range(10)])
    clock.advance(timedelta(minutes=2))
    done = await asyncio.gather(*(expire_holds(pool, clock) for _ in range(4)))
    assert sum(done) == 300
    assert await statuses(pool) == {"expired": 300, "held": 10}
    assert await inventory.counters(flight) == (390, 10, 0)
    assert await expire_holds(pool, clock) == 0
    assert await inventory.drift() == []


async def test_a_hold_that_is_being_confirmed_is_left_alone(pool, inventory, writers, make_hold, clock):
    flight = await inventory.flight(9)
    confirming, other = make_hold(flight, minutes=1), make_hold(flight, minutes=1)
    await writers[0].group([confirming, other])
    clock.advance(timedelta(minutes=2))
    async with pool.acquire() as busy, busy.transaction():
        await busy.execute("SELECT 1 FROM hold WHERE id = $1 FOR UPDATE", confirming.id)
        assert await expire_holds(pool, clock) == 1
    assert await statuses(pool) == {"expired": 1, "held": 1}


async def test_confirming_and_sweeping_at_once_end_in_one_state(pool, inventory, writers, make_hold, clock, fleet):
    flight = await inventory.flight(60)
    holds = [make_hold(flight, minutes=1) for _ in range(40)]
    await writers[0].group(holds)
    clock.advance(timedelta(minutes=2))
    deeds = [ConfirmHolds(pool, fleet) for _ in range(2)]
    answers = await asyncio.gather(
        deeds[0].group([hold.id for hold in holds[:20]]),
        deeds[1].group([hold.id for hold in holds[20:]]),
        expire_holds(pool, clock),
        expire_holds(pool, clock),
    )
    sold = sum(not isinstance(answer, Exception) for group in answers[:2] for answer in group)
    assert sold + answers[2] + answers[3] == 40
    assert await inventory.counters(flight) == (60 - sold, 0, sold)
    assert len(await inventory.owners(flight)) == sold
    for deed in deeds:
        await deed.close()


async def test_the_workers_loop_sweeps_until_it_is_stopped(pool, inventory, writers, make_hold, clock):
    flight = await inventory.flight(9)
    await writers[0].group([make_hold(flight, minutes=1)])
    stop = asyncio.Event()
    loop = asyncio.create_task(sweep(pool, clock, stop, every_seconds=0.02))
    clock.advance(timedelta(minutes=2))
    await eventually(lambda: pool.fetchval("SELECT count(*) FROM hold WHERE status = 'expired'"))
    stop.set()
    await loop
    assert await inventory.counters(flight) == (9, 0, 0)


async def test_a_writer_whose_connection_was_cut_takes_a_new_one(pool, inventory, writers, make_hold):
    flight = await inventory.flight(9)
    assert await writers[0].group([make_hold(flight)]) == [Taken(new=True)]
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE $1"
    await pool.fetch(cut, "%take_holds(%")
    (answer,) = await writers[0].group([make_hold(flight)])
    if isinstance(answer, Exception):
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            raise answer
        assert await writers[0].group([make_hold(flight)]) == [Taken(new=True)]
    assert await inventory.drift() == []
