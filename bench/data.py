"""A million flights: 330 days, 400 airports, COPYed into the bench's database, the same at every call.

`make bench-data` or `python bench/data.py [--flights 1000000] [--days 330]`. The database is `BENCH_DATABASE_URL`'s
server, or a private PostgreSQL kept under `.run/bench`; `bench/search.py` finds it there.

Sixteen hubs fly to each other five times a day; each other airport is flown to from its nearest hub twice a day, and a
part of them from a second one. Loads are random with a fixed seed.
"""

import argparse
import asyncio
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import airportsdata
import asyncpg

from flight_service.catalogue.distance import distance_km
from flight_service.catalogue.layout import CABINS, read_layout
from flight_service.fares.base_fares import base_fares
from flight_service.network.airlines import AIRLINES
from flight_service.network.fleet import AIRCRAFT
from flight_service.network.load_network import load_reference
from flight_service.network.routes import network_airports
from flight_service.schedules.calendar import utc_offset
from rihla.db import Database
from rihla.db.migrations import upgrade
from rihla.testing.databases import with_database
from rihla_local.servers.postgres import FORGETFUL, Postgres

ROOT = Path(__file__).resolve().parents[1]
SERVICE = ROOT / "flight-service"
AIRPORTS = 400
HUBS = ("DXB", "LHR", "JFK", "SIN", "IST", "JED", "DAC", "SYD", "NBO", "GRU", "FRA", "CDG", "DEL", "NRT", "ORD", "HKG")
TRUNKS_A_DAY, SPOKES_A_DAY = 5, 2
_SEED = 20_261_120
_SPEED = {"32N": 830, "789": 900, "77W": 905}
_SCHEDULE_COLUMNS = [
    "id",
    "airline",
    "flight_number",
    "origin",
    "destination",
    "days_of_week",
    "departure_time",
    "duration_minutes",
    "valid_from",
    "valid_until",
    "aircraft",
    "terminal",
    "base_fares",
]
_FLIGHT_COLUMNS = [
    "id",
    "schedule_id",
    "flight_number",
    "airline",
    "origin",
    "destination",
    "local_date",
    "departure_at",
    "arrival_at",
    "departure_offset",
    "arrival_offset",
    "aircraft",
    "terminal",
    "base_fares",
]
_CABIN_COLUMNS = ["flight_id", "cabin", "capacity", "free_seats", "sold_seats"]


@dataclass(frozen=True, slots=True)
class Place:
    iata: str
    latitude: float
    longitude: float
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Line:
    """One daily flight."""

    id: UUID
    airline: str
    number: str
    origin: Place
    destination: Place
    minute: int
    """Local departure, minutes of the day."""
    duration: int
    aircraft: str
    fares: list[int]


def places() -> dict[str, Place]:
    """The seeded network's airports and as many more international ones as make 400."""
    known = airportsdata.load("IATA")
    more = sorted(
        code for code, entry in known.items() if "international" in entry["name"].lower() and entry["tz"] != ""
    )
    chosen = sorted(set(HUBS) | network_airports())
    chosen += [code for code in more if code not in chosen][: AIRPORTS - len(chosen)]
    return {
        code: Place(code, float(known[code]["lat"]), float(known[code]["lon"]), ZoneInfo(known[code]["tz"]))
        for code in chosen
    }


def lines(daily: int) -> list[Line]:
    """`daily` flights a day: trunks between hubs, then rounds to each other airport, then second hubs."""
    at, dice = places(), random.Random(_SEED)
    airlines = [entry.iata for entry in AIRLINES if not entry.test_only]
    found: list[Line] = []

    def add(hub: int, origin: str, destination: str, wave: int, waves: int) -> None:
        a, b = at[origin], at[destination]
        kilometres = distance_km(a.latitude, a.longitude, b.latitude, b.longitude)
        aircraft = "32N" if kilometres < 5_600 else ("77W", "789")[len(found) % 2]
        number = f"{airlines[hub % len(airlines)]}{len(found) % 9_900 + 100}"
        minute = (5 * 60 + wave * (18 * 60 // waves) + dice.randrange(120)) // 5 * 5 % 1440
        duration = 30 + round(kilometres / _SPEED[aircraft] * 60 / 5) * 5
        cabins = read_layout(next(kind for kind in AIRCRAFT if kind["code"] == aircraft)["layout"]).cabins
        line_id = UUID(int=_SEED << 96 | len(found))
        fares = base_fares(kilometres, cabins)
        found.append(Line(line_id, number[:2], number, a, b, minute, duration, aircraft, fares))

    for hub, origin in enumerate(HUBS):
        for destination in HUBS:
            for wave in range(TRUNKS_A_DAY if origin != destination else 0):
                add(hub, origin, destination, wave, TRUNKS_A_DAY)
    for rank in range(len(HUBS)):
        for code in sorted(at.keys() - set(HUBS)):
            spoke = at[code]
            near = sorted(
                range(len(HUBS)),
                key=lambda h: distance_km(
                    spoke.latitude,
                    spoke.longitude,
                    at[HUBS[h]].latitude,
                    at[HUBS[h]].longitude,
                ),
            )
            for wave in range(SPOKES_A_DAY):
                if len(found) >= daily:
                    return found[:daily]
                add(near[rank], HUBS[near[rank]], code, wave, SPOKES_A_DAY)
                add(near[rank], code, HUBS[near[rank]], wave, SPOKES_A_DAY)
    return found[:daily]


def schedule_rows(all_lines: list[Line], first: date, days: int) -> Iterator[tuple[Any, ...]]:
    """Rows of `schedule`."""
    for line in all_lines:
        departs = clock_time(line.minute // 60, line.minute % 60)
        route = (line.origin.iata, line.destination.iata)
        until = first + timedelta(days=days - 1)
        yield (
            line.id,
            line.airline,
            line.number,
            *route,
            127,
            departs,
            line.duration,
            first,
            until,
            line.aircraft,
            ("1"),
            line.fares,
        )


def flight_rows(all_lines: list[Line], first: date, days: int, most: int) -> Iterator[tuple[Any, ...]]:
    """Rows of `flight`, day by day."""
    offsets: dict[tuple[str, int], int] = {}

    def offset(place: Place, hour: int) -> int:
        # Clocks change on a full hour: an offset holds for the hour.
        known = offsets.get((place.iata, hour))
        if known is None:
            instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
            known = offsets[place.iata, hour] = utc_offset(instant, place.zone)
        return known

    epoch, made = datetime(1970, 1, 1, tzinfo=UTC), 0
    for shift in range(days):
        day = first + timedelta(days=shift)
        midnight = (day - date(1970, 1, 1)).days * 1440
        for line in all_lines[: most - made]:
            local = midnight + line.minute
            departure = local - offset(line.origin, local // 60)
            arrival = departure + line.duration
            yield (
                UUID(int=(_SEED + 1) << 96 | made), line.id, line.number, line.airline, line.origin.iata,
                line.destination.iata, day, epoch + timedelta(minutes=departure), epoch + timedelta(minutes=arrival),
                offset(line.origin, departure // 60), offset(line.destination, arrival // 60), line.aircraft, "1",
                line.fares,
            )  # fmt: skip
            made += 1


def cabin_rows(all_lines: list[Line], days: int, most: int) -> Iterator[tuple[Any, ...]]:
    """Rows of `cabin_inventory`: each cabin sold to a random part, one in twenty sold out."""
    capacities = {kind["code"]: read_layout(kind["layout"]).capacities() for kind in AIRCRAFT}
    cabins = [
        [(cabin, capacity) for cabin, capacity in capacities[line.aircraft].items() if line.fares[CABINS.index(cabin)]]
        for line in all_lines
    ]
    dice, made = random.Random(_SEED), 0
    for _ in range(days):
        for of_line in cabins[: most - made]:
            flight = UUID(int=(_SEED + 1) << 96 | made)
            for cabin, capacity in of_line:
                share = dice.random()
                sold = capacity if share > 0.95 else int(capacity * share)
                yield flight, cabin, capacity, capacity - sold, sold
            made += 1


async def fill(url: str, flights: int, days: int) -> None:
    """Migrate, load the reference data, COPY the rest, index, analyse."""
    db = Database(url, statement_timeout_ms=600_000)
    async with db.transaction() as session:
        await load_reference(session)
    await db.close()
    all_lines = lines(-(-flights // days))
    first = datetime.now(UTC).date() + timedelta(days=1)
    connection = await asyncpg.connect(url)
    # Rows of ours need no check against each other, and nobody follows the feed yet.
    await connection.execute("SET session_replication_role = replica")
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('flight', 'cabin_inventory') AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint WHERE conname = indexname)"
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    for table, columns, rows in (
        ("schedule", _SCHEDULE_COLUMNS, schedule_rows(all_lines, first, days)),
        ("flight", _FLIGHT_COLUMNS, flight_rows(all_lines, first, days, flights)),
        ("cabin_inventory", _CABIN_COLUMNS, cabin_rows(all_lines, days, flights)),
    ):
        started = time.perf_counter()
        await connection.copy_records_to_table(table, columns=columns, records=rows, timeout=600)
        print(f"  {table}: {time.perf_counter() - started:.1f} s", flush=True)
    started = time.perf_counter()
    for index in indexes:
        await connection.execute(index["indexdef"], timeout=600)
    await connection.execute("ANALYZE", timeout=600)
    print(f"  indexes, statistics: {time.perf_counter() - started:.1f} s", flush=True)
    await connection.close()


@contextmanager
def bench_postgres() -> Iterator[str]:
    """BENCH_DATABASE_URL, or the private instance under .run/bench, started for as long as this is open."""
    given = os.environ.get("BENCH_DATABASE_URL")
    if given:
        yield given
        return
    root = ROOT / ".run" / "bench"
    root.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = {**FORGETFUL, "shared_buffers": "256MB", "max_wal_size": "4GB", "maintenance_work_mem": "256MB"}
    fallback = Path(f"/tmp/rihla-bench-{os.getuid()}")
    unit = Postgres(root / "pg", fallback, port, "bench", root / "log", settings).unit()
    pid = unit.start()
    try:
        while not unit.is_ready():
            time.sleep(0.05)
        yield f"postgresql://postgres:bench@127.0.0.1:{port}/postgres"
    finally:
        os.kill(pid, signal.SIGINT)
        os.waitpid(pid, 0)


def database_name(flights: int, days: int) -> str:
    """Flights lie ahead of the day they were made on, so every day has a database of its own."""
    return f"rihla_bench_{flights}_{days}_{datetime.now(UTC).date():%Y%m%d}"


def dataset(admin: str, flights: int, days: int) -> str:
    """The URL of the filled database; made when it is not there yet."""
    name = database_name(flights, days)
    url = with_database(admin, name)
    if not asyncio.run(_is_there(admin, name)):
        started = time.perf_counter()
        making = with_database(admin, f"{name}_making")
        upgrade(SERVICE, making)
        asyncio.run(fill(making, flights, days))
        asyncio.run(_run(admin, f'ALTER DATABASE "{name}_making" RENAME TO "{name}"'))
        print(f"{flights:,} flights over {days} days in {time.perf_counter() - started:.1f} s", flush=True)
    return url


async def _is_there(admin: str, name: str) -> bool:
    """Whether it is; if not, it is begun, and those of other days are dropped (other sizes of today are kept)."""
    connection = await asyncpg.connect(admin)
    present = [row[0] for row in await connection.fetch("SELECT datname FROM pg_database")]
    if name not in present:
        for old in present:
            if old.startswith("rihla_bench_") and (old == f"{name}_making" or not old.endswith(name[-9:])):
                await connection.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}_making"')
    await connection.close()
    return name in present


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--flights", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=330)
    chosen = parser.parse_args()
    with bench_postgres() as admin:
        dataset(admin, chosen.flights, chosen.days)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
