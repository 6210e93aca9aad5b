"""Machines that create flights from one schedule at the same moment. With the controls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from flight_service.schedules import generate_flights as generating
from flight_service.schedules.generate_flights import generate_flights
from rihla.db import Database
from rihla.kernel import FixedClock, new_id
from rihla.testing import eventually

_SCHEDULE = """
INSERT INTO schedule (id, airline, flight_number, origin, destination, days_of_week, departure_time, duration_minutes,
                      valid_from, valid_until, aircraft, base_fares)
VALUES ($1, 'RQ', 'RQ905', 'DAC', 'JED', 127, '16:15', 400, '2026-12-02', '2026-12-09', '32N', '{19900,0,0,0}')
"""
_DAYS = 8
_NO_TURNS = text("SELECT CAST(:key AS bigint)")
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@dataclass
class Network:
    """The seeded network with one more schedule, which has no flights yet."""

    db: Database
    schedule_id: UUID
    clock: FixedClock
    gate: "asyncpg.Connection[Any]"
    watcher: "asyncpg.Connection[Any]"

    async def two_at_once(self) -> int:
        """Two generators with a starting line between reading and writing; how many flights they say they made."""
        async with self.gate.transaction():
            await self.gate.execute("LOCK TABLE flight IN SHARE MODE")  # reads pass, inserts wait
            runs = [asyncio.create_task(self._generate()) for _ in range(2)]
            await eventually(self._both_wait, timeout=60, what="both generators wait")
        return sum(await asyncio.gather(*runs))

    async def _generate(self) -> int:
        run = await generate_flights(self.db, now=self.clock.now(), days_ahead=30, only=[self.schedule_id])
        return run.flights

    async def _both_wait(self) -> bool:
        return bool(await self.watcher.fetchval(_WAITING) >= 2)

    async def flights_a_day(self) -> list[int]:
        rows = await self.watcher.fetch(
            "SELECT count(*) FROM flight WHERE schedule_id = $1 GROUP BY local_date", self.schedule_id
        )
        return [row[0] for row in rows]

    async def cabins(self) -> int:
        sql = "SELECT count(*) FROM cabin_inventory JOIN flight f ON f.id = flight_id WHERE schedule_id = $1"
        return int(await self.watcher.fetchval(sql, self.schedule_id))

    async def take_flights_off(self) -> None:
        mine = "SELECT id FROM flight WHERE schedule_id = $1"
        await self.watcher.execute(f"DELETE FROM cabin_inventory WHERE flight_id IN ({mine})", self.schedule_id)
        await self.watcher.execute("DELETE FROM flight WHERE schedule_id = $1", self.schedule_id)


@pytest_asyncio.fixture
async def network(network_url: str, clock: FixedClock) -> AsyncIterator[Network]:
    db = Database(network_url, pool_size=2, statement_timeout_ms=120_000)
    gate, watcher = [await asyncpg.connect(network_url) for _ in range(2)]
    schedule_id = new_id()
    await watcher.execute(_SCHEDULE, schedule_id)
    yield Network(db, schedule_id, clock, gate, watcher)
    for connection in (gate, watcher):
        await connection.close()
    await db.close()


async def _made_once(network: Network) -> None:
    assert await network.two_at_once() == _DAYS
    assert await network.flights_a_day() == [1] * _DAYS
    assert await network.cabins() == _DAYS, "a flight that was there already gets no second cabin"
    await network.take_flights_off()


async def test_two_generators_of_one_schedule_make_each_flight_once(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking turns and the unique key stand behind each other: either alone is enough."""
    await _made_once(network)
    with monkeypatch.context() as without_turns:
        without_turns.setattr(generating, "_TAKE_TURNS", _NO_TURNS)
        await _made_once(network)
    await network.watcher.execute("DROP INDEX uq_flight_schedule_id_local_date")
    await _made_once(network)


async def test_without_turns_and_the_unique_key_every_flight_is_there_twice(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the race before: the same two generators, both guards removed."""
    monkeypatch.setattr(generating, "_TAKE_TURNS", _NO_TURNS)
    await network.watcher.execute("DROP INDEX uq_flight_schedule_id_local_date")
    assert await network.two_at_once() == 2 * _DAYS
    assert await network.flights_a_day() == [2] * _DAYS
