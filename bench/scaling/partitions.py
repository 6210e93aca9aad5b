"""What partitions by month give and cost: `python bench/scaling/partitions.py [--rows 1200000]`.

The same rows, a year of them under ids that grow with time (UUIDv7), in a plain table and in one with a partition a
month. Measured: reading one by id, a traveller's list, adding one, and getting rid of the oldest month.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from data import bench_postgres

MONTHS, MONTH_MS = 12, 30 * 86_400_000
BEGAN_MS = 1_767_225_600_000
"""2026-01-01 in milliseconds, the first 48 bits of a UUIDv7."""
COLUMNS = "id uuid NOT NULL, user_id uuid NOT NULL, state text NOT NULL, facts text NOT NULL"


def time_id(milliseconds: int, rest: int) -> UUID:
    """A UUIDv7 of this instant."""
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | rest & (1 << 62) - 1)


async def filled(connection: Any, rows: int) -> list[UUID]:
    """Both tables with the same rows; their ids in the order of time."""
    await connection.execute(f"CREATE TABLE plain ({COLUMNS}, PRIMARY KEY (id))")
    await connection.execute(f"CREATE TABLE monthly ({COLUMNS}, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    for month in range(MONTHS):
        low, high = (time_id(BEGAN_MS + (month + n) * MONTH_MS, 0) for n in (0, 1))
        await connection.execute(
            f"CREATE TABLE month_{month} PARTITION OF monthly FOR VALUES FROM ('{low}') TO ('{high}')"
        )
    await connection.execute("CREATE INDEX ON plain (user_id, id); CREATE INDEX ON monthly (user_id, id)")
    dice, ids = random.Random(1), list[UUID]()
    step = MONTHS * MONTH_MS // rows
    for at in range(rows):
        ids.append(time_id(BEGAN_MS + at * step + 1, dice.getrandbits(62)))
    records = [(one, UUID(int=dice.randrange(rows // 3)), "confirmed", "x" * 600) for one in ids]
    for table in ("plain", "monthly"):
        await connection.copy_records_to_table(table, records=records, timeout=600)
    await connection.execute("VACUUM ANALYZE", timeout=600)
    return ids


async def each(connection: Any, statement: str, arguments: list[tuple[Any, ...]]) -> float:
    """Microseconds of one execution of a prepared statement, the median."""
    prepared, waits = await connection.prepare(statement), list[float]()
    for one in arguments:
        began = time.perf_counter()
        await prepared.fetch(*one)
        waits.append(time.perf_counter() - began)
    return round(statistics.median(waits) * 1e6, 1)


async def measure(url: str, rows: int) -> dict[str, float]:
    """Every figure, in microseconds unless it says otherwise."""
    connection = await asyncpg.connect(url)
    ids, dice, found = await filled(connection, rows), random.Random(2), dict[str, float]()
    await connection.execute("SET synchronous_commit = off")
    for table in ("plain", "monthly"):
        picked = [(one,) for one in dice.sample(ids, 2000)]
        found[f"{table}: read by id, us"] = await each(connection, f"SELECT * FROM {table} WHERE id = $1", picked)
        people = [(UUID(int=dice.randrange(rows // 3)),) for _ in range(1000)]
        listed = f"SELECT * FROM {table} WHERE user_id = $1 ORDER BY id DESC LIMIT 20"
        found[f"{table}: a traveller's list, us"] = await each(connection, listed, people)
        new = [(time_id(BEGAN_MS + 11 * MONTH_MS + n, dice.getrandbits(62)),) for n in range(2000)]
        added = f"INSERT INTO {table} VALUES ($1, $1, 'confirmed', repeat('x', 600))"
        found[f"{table}: add one, us"] = await each(connection, added, new)
    began = time.perf_counter()
    end = time_id(BEGAN_MS + MONTH_MS, 0)
    await connection.execute(f"DELETE FROM plain WHERE id < '{end}'", timeout=600)
    await connection.execute("VACUUM plain", timeout=600)
    found["plain: drop the oldest month, ms"] = round((time.perf_counter() - began) * 1e3, 1)
    began = time.perf_counter()
    await connection.execute("ALTER TABLE monthly DETACH PARTITION month_0 CONCURRENTLY")
    await connection.execute("DROP TABLE month_0")
    found["monthly: drop the oldest month, ms"] = round((time.perf_counter() - began) * 1e3, 1)
    for table in ("plain", "month_11"):
        size = await connection.fetchval("SELECT pg_indexes_size($1::regclass)", table)
        found[f"{table}: indexes, MB"] = round(size / 1e6, 1)
    await connection.close()
    return found


async def scratch(admin: str, rows: int) -> dict[str, float]:
    """The same in a database that is gone afterwards."""
    name = "rihla_partitions"
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name}")
        await connection.execute(f"CREATE DATABASE {name}")
        try:
            return await measure(admin.rsplit("/", 1)[0] + f"/{name}", rows)
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_200_000)
    chosen = parser.parse_args()
    with bench_postgres() as admin:
        found = asyncio.run(scratch(admin, chosen.rows))
    for name, value in found.items():
        print(f"{name:40} {value:10,.1f}")
    print("FIGURES " + json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
