"""The timetable follows the database: no change is missed, and an outage is bounded."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from flight_service.main import create_app
from flight_service.search import follow_changes
from flight_service.search.follow_changes import TimetableFeed
from flight_service.settings import Settings
from rihla.kernel import new_id
from rihla.testing import eventually, running

BY_POSITION = """
SELECT coalesce(max(position), $1) AS horizon, count(*) AS changes,
    array_agg(DISTINCT flight_id) FILTER (WHERE kind = 'f') AS flights,
    array_agg(DISTINCT flight_no) FILTER (WHERE flight_no IS NOT NULL) AS numbers,
    coalesce(bool_or(kind = 'r'), false) AS reference, coalesce(sum(position), 0)::text AS positions
FROM timetable_change WHERE position > $1
"""
"""What one would write first: it misses a row that commits after rows of higher positions were read."""
TAKE_A_SEAT = (
    "UPDATE cabin_inventory SET free_seats = free_seats - 1, sold_seats = sold_seats + 1 "
    "WHERE flight_id = $1 AND cabin = 'economy'"
)


@asynccontextmanager
async def _feed(url: str, clock: Any) -> AsyncIterator[TimetableFeed]:
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        feed = TimetableFeed(pool, clock, staleness=timedelta(seconds=5))
        await feed.load()
        yield feed
        await feed.close()


async def _late_commit(url: str, clock: Any) -> tuple[int, int]:
    """Seats missed after a late commit: of the flight that committed late, and of the one that overtook it."""
    early, late = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        async with _feed(url, clock) as feed:
            rows = await early.fetch(
                "SELECT f.no, f.id FROM flight f JOIN cabin_inventory i ON i.flight_id = f.id AND i.cabin = 'economy' "
                "WHERE f.departure_at > $1 ORDER BY f.no LIMIT 2",
                clock.now(),
            )
            slots = [feed.timetable.slot(row["no"]) for row in rows]
            before = [feed.timetable.free[0][slot] for slot in slots if slot is not None]
            open_late = late.transaction()
            await open_late.start()
            await late.execute(TAKE_A_SEAT, rows[0]["id"])  # the lower position ...
            await early.execute(TAKE_A_SEAT, rows[1]["id"])
            await feed.fresh()
            await open_late.commit()  # ... is committed after the higher one was read
            await feed.fresh()
            after = [feed.timetable.free[0][slot] for slot in slots if slot is not None]
            return before[0] - 1 - after[0], before[1] - 1 - after[1]
    finally:
        await early.close()
        await late.close()


async def test_a_change_that_commits_late_is_not_missed(network_url: str, clock: Any) -> None:
    assert await _late_commit(network_url, clock) == (0, 0)


async def test_control_a_feed_by_position_misses_it(
    network_url: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_changes, "_POLL", BY_POSITION)
    monkeypatch.setattr(follow_changes, "_HORIZON", "SELECT coalesce(max(position), 0) FROM timetable_change")
    assert await _late_commit(network_url, clock) == (-1, 0)


class Wire:
    """A cable to the database that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def join(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.close()


async def test_an_outage_is_survived_for_a_while_then_said_then_over(
    network_url: str, settings_for: Any, keyring: Any, clock: Any
) -> None:
    address = urlsplit(network_url)
    wire = Wire(address.hostname or "", address.port or 5432)
    await wire.join()
    cable = address._replace(netloc=f"{address.username}:{address.password}@127.0.0.1:{wire.port}")
    app = create_app(settings_for(urlunsplit(cable), timetable_staleness_seconds=4.0), clock=clock)
    asked = {"origin": "DAC", "destination": "JED", "departure_date": "2026-12-04", "max_stops": 0}
    token = keyring.token(audience="flight", user_id=new_id())
    async with running(app, token=token) as client:

        async def status() -> int:
            return (await client.get("/v1/flight-offers", params=asked)).status_code

        began = time.monotonic()
        assert await status() == 200
        await wire.cut()
        served = await status()
        assert served == 200 or time.monotonic() - began > 4, "what is known serves for the bound of staleness"
        answer = await eventually(lambda: _refused(client, asked))
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("search-unavailable", "2")
        assert (await client.get("/health/ready")).status_code == 503
        await wire.join()
        await eventually(lambda: _answers(status))
        assert (await client.get("/health/ready")).status_code == 200
    await wire.cut()


async def _refused(client: Any, asked: dict[str, Any]) -> Any:
    answer = await client.get("/v1/flight-offers", params=asked)
    return answer if answer.status_code == 503 else None


async def _answers(status: Any) -> bool:
    return await status() == 200


def test_the_bound_of_staleness_is_five_seconds() -> None:
    assert Settings.model_fields["timetable_staleness_seconds"].default == 5.0
