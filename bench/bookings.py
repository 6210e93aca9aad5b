"""Bookings a second through the gateway, and its floors.

`python bench/bookings.py [--seconds 10] [--connections 32] [--people 400]`. One adult, flights spread out, everybody
signed in, limits on with quotas out of the way. Floors of the same run: pgbench doing a hold in one function call, and
an empty FastAPI handler that takes the same body.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from cpu_split import cpu_seconds, say_split
from pydantic import BaseModel
from stacked import offers, say, stack, travellers
from wire import Seen, Wire

from rihla_local.traveller import Traveller, adult

HERE = Path(__file__).resolve()
TARGET, TARGET_P95_MS = 400, 150
PEOPLE = 400
"""Who book in turn: so many that few keep more unpaid bookings at once than one person may."""


def body_of(offer: str, who: Traveller) -> bytes:
    """One adult on one offer."""
    contact = {"email": who.email, "phone": "+8801712345678"}
    return json.dumps({"offer_id": offer, "contact": contact, "passengers": [adult()]}).encode()


def headers_of(who: Traveller) -> dict[str, str]:
    """Signed in, under a key nobody used."""
    return {"authorization": f"Bearer {who.tokens['access_token']}", "idempotency_key": os.urandom(12).hex()}


async def place(
    port: int, connections: int, people: list[Traveller], found: list[str], seconds: float
) -> tuple[Seen, list[str]]:
    """Each connection books one offer after the other, for one person after the other; what was seen and the ids."""
    seen, ids, turn, whose = Seen(), list[str](), itertools.cycle(found), itertools.cycle(people)
    end = time.perf_counter() + seconds

    async def one() -> None:
        wire = await Wire.open(port)
        while time.perf_counter() < end:
            who = next(whose)
            status, answer = await wire.timed(seen, "POST", "/v1/bookings", body_of(next(turn), who), **headers_of(who))
            if status == 201:
                ids.append(json.loads(answer)["id"])
        wire.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    seen.seconds = time.perf_counter() - began
    return seen, ids


async def count(facts: dict[str, Any], ids: list[str]) -> tuple[int, int]:
    """How many of the acknowledged bookings exist, and how many live bookings there are in all."""
    connection = await asyncpg.connect(facts["databases"]["booking"])
    try:
        there = await connection.fetchval(
            "SELECT count(*) FROM booking WHERE id = ANY($1::uuid[]) AND state NOT IN ('placing', 'refused')", ids
        )
        every = await connection.fetchval("SELECT count(*) FROM booking WHERE state NOT IN ('placing', 'refused')")
    finally:
        await connection.close()
    return int(there), int(every)


# ---- floors


class Wanted(BaseModel):
    """A booking's body; at module level, where FastAPI can find what a postponed annotation names."""

    offer_id: str
    contact: dict[str, str]
    passengers: list[dict[str, Any]]


class Made(BaseModel):
    """As little of an answer as the load needs."""

    id: str


def empty(port: int) -> None:
    """An empty handler that takes the body of a booking."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()

    @app.post("/v1/bookings", status_code=201, response_model=Made)
    async def book(wanted: Wanted) -> Made:
        return Made(id=wanted.offer_id[:8])

    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


@contextmanager
def empty_handler() -> Iterator[int]:
    """Its port, while it runs."""
    from proxying import free_port, process

    port = free_port()
    with process([sys.executable, str(HERE), "--role", "empty", "--port", str(port)], port):
        yield port


def database_floor(own: Any, seconds: float) -> float:
    """Holds a second of pgbench on the stack's own PostgreSQL, in a database of its own."""
    from holds import pgbench_floor

    admin = own.facts["database_admin_url"]
    name = f"floor_{os.getpid()}"

    async def do(statement: str) -> None:
        connection = await asyncpg.connect(admin)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(do(f"CREATE DATABASE {name}"))
    try:
        return pgbench_floor(admin.rsplit("/", 1)[0] + f"/{name}", seconds, 32).get("spread", 0.0)
    except subprocess.CalledProcessError:
        return 0.0
    finally:
        asyncio.run(do(f"DROP DATABASE {name} WITH (FORCE)"))


# ---- the run


def play(own: Any, seconds: float, connections: int, inhabitants: int) -> bool:
    """Floors, then bookings; whether the targets were reached."""
    facts = own.facts
    port = urlsplit(facts["gateway_url"]).port or 80
    people = asyncio.run(travellers(facts, inhabitants))
    found = asyncio.run(offers(facts, 1200))
    print(f"{len(people)} people, {len(found)} flights", flush=True)
    floor = database_floor(own, max(2.0, seconds / 2))
    with empty_handler() as nothing:
        handler = uvloop.run(place(nothing, connections, people, found, max(2.0, seconds / 2)))[0].per_second(201)
    print(f"floors: pgbench {floor:,.0f} holds/s; an empty handler {handler:,.0f} requests/s", flush=True)
    uvloop.run(place(port, connections, people, found, 1.5))  # warm
    _, already = asyncio.run(count(facts, []))
    used = cpu_seconds(own)
    seen, ids = uvloop.run(place(port, connections, people, found, seconds))
    spent = cpu_seconds(own)
    there, every = asyncio.run(count(facts, ids))
    rate, p95 = seen.per_second(201), seen.wait_ms(0.95)
    print(f"bookings: {rate:,.0f} a second, p50 {seen.wait_ms(0.5):.0f} p95 {p95:.0f} p99 {seen.wait_ms(0.99):.0f} ms")
    made = every - already
    print(f"          {dict(seen.statuses)} {dict(seen.codes)}")
    print(f"          of {len(ids)} acknowledged {there} are there; {made} were made", flush=True)
    say_split("a booking", used, spent, len(ids))
    figures: dict[str, Any] = {
        "bookings_per_second": round(rate, 1),
        "bookings_p95_ms": round(p95, 1),
        "lost": len(ids) - there,
        "double": every - already - len(ids),
        "errors_5xx": sum(number for status, number in seen.statuses.items() if status >= 500),
        "floor_pgbench_holds_per_second": round(floor),
        "floor_empty_handler_per_second": round(handler),
        "ratio_to_pgbench": round(rate / floor, 4) if floor else 0,
        "ratio_to_empty_handler": round(rate / handler, 4) if handler else 0,
    }
    say(**figures)
    return rate >= TARGET and p95 <= TARGET_P95_MS and len(ids) == there == every - already


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--people", type=int, default=PEOPLE, help="who book in turn")
    parser.add_argument("--role", choices=("empty",))
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.role == "empty":
        empty(chosen.port)
        return 0
    with stack() as own:
        reached = play(own, chosen.seconds, chosen.connections, chosen.people)
        print(f"target {TARGET} a second with p95 under {TARGET_P95_MS} ms: {'reached' if reached else 'NOT reached'}")
        return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
