"""Bookings a second against one, two and four workers of each service, beside the floor of the same PostgreSQL.

`python bench/workers.py [--seconds 6] [--connections 32]`. A worker is a process of booking-service and one of
flight-service (and one of each other service, which hardly matters here). More processes than cores share the cores:
on two cores the curve says where it ends, not how it would go on with more of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from urllib.parse import urlsplit

import uvloop
from bookings import PEOPLE, count, database_floor, place
from stacked import FOLDER, QUIET_MACHINE, offers, say, travellers

from rihla_local.own_stack import NO_LIMITS, OwnStack

WORKERS = (1, 2, 4)


def measured(workers: int, seconds: float, connections: int) -> dict[str, float]:
    """A stack with so many of each service; its bookings a second, waits, and the floor when it is the first."""
    own = OwnStack(FOLDER.with_name("bench-workers"), {**NO_LIMITS, **QUIET_MACHINE, "REPLICAS": str(workers)})
    own.down()
    own.launch("reset")
    own.up()
    try:
        facts, found = own.facts, dict[str, float]()
        port = urlsplit(facts["gateway_url"]).port or 80
        people, flights = asyncio.run(travellers(facts, PEOPLE)), asyncio.run(offers(facts, 800))
        if workers == WORKERS[0]:
            found["floor (pgbench holds), a second"] = round(database_floor(own, seconds / 2))
        uvloop.run(place(port, connections, people, flights, 2.0))  # warm
        _, already = asyncio.run(count(facts, []))
        seen, ids = uvloop.run(place(port, connections, people, flights, seconds))
        there, every = asyncio.run(count(facts, ids))
    finally:
        own.down()
    name = f"{workers} worker{'s' if workers > 1 else ''}"
    rate, p95 = seen.per_second(201), seen.wait_ms(0.95)
    wrong = len(ids) - there + abs(every - already - len(ids)) + sum(seen.statuses[code] for code in (0, 500, 502))
    print(f"{name:9} {rate:6.0f} bookings/s  p50 {seen.wait_ms(0.5):5.0f}  p95 {p95:5.0f} ms  {wrong} lost or doubled")
    return found | {f"{name}, a second": round(rate, 1), f"{name}, p95 ms": round(p95, 1), f"{name}, wrong": wrong}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--connections", type=int, default=32)
    chosen = parser.parse_args()
    figures: dict[str, float] = {"cores": os.cpu_count() or 1}
    for workers in WORKERS:
        figures |= measured(workers, chosen.seconds, chosen.connections)
    say(**figures)
    return 1 if any(value for name, value in figures.items() if name.endswith(", wrong")) else 0


if __name__ == "__main__":
    raise SystemExit(main())
