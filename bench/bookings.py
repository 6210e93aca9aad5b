"""Bookings a second through the gateway, its floors, and a capacity run: placed, paid, confirmed, memory flat.

`python bench/bookings.py [--seconds 10] [--connections 32] [--capacity 2000] [--pay wallet|card]`. One adult, flights
spread out, everybody signed in, limits on with quotas out of the way. Floors of the same run: pgbench doing a hold in
one function call, and an empty FastAPI handler that takes the same body.
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
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from cpu_split import cpu_seconds, say_split
from pydantic import BaseModel
from stacked import memory, offers, say, stack, travellers
from wire import Seen, Wire

from rihla_local.traveller import CARD, GOOD, Traveller, adult, within

HERE = Path(__file__).resolve()
TARGET, TARGET_P95_MS = 400, 150
METHODS: dict[str, dict[str, Any]] = {
    "card": {"type": "card", "provider": "sandbox", "card": {**CARD, "number": GOOD}},
    "wallet": {"type": "wallet"},
}


def body_of(offer: str, who: Traveller) -> bytes:
    """One adult on one offer."""
    contact = {"email": who.email, "phone": "+8801712345678"}
    return json.dumps({"offer_id": offer, "contact": contact, "passengers": [adult()]}).encode()


def headers_of(who: Traveller) -> dict[str, str]:
    """Signed in, under a key nobody used."""
    return {"authorization": f"Bearer {who.tokens['access_token']}", "idempotency_key": os.urandom(12).hex()}


async def place(port: int, people: list[Traveller], found: list[str], seconds: float) -> tuple[Seen, list[str]]:
    """Everybody books one offer after the other; what was seen and the ids of the bookings."""
    seen, ids, turn = Seen(), list[str](), itertools.cycle(found)
    end = time.perf_counter() + seconds

    async def one(who: Traveller) -> None:
        wire = await Wire.open(port)
        while time.perf_counter() < end:
            status, answer = await wire.timed(seen, "POST", "/v1/bookings", body_of(next(turn), who), **headers_of(who))
            if status == 201:
                ids.append(json.loads(answer)["id"])
        wire.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(who) for who in people))
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


async def capacity(own: Any, people: list[Traveller], found: list[str], wanted: int, pay: str) -> dict[str, Any]:
    """`wanted` bookings placed and paid, one after the other on each connection; then until all are confirmed."""
    facts, turn, seen, paid = own.facts, itertools.cycle(found), Seen(), Seen()
    port = urlsplit(facts["gateway_url"]).port or 80
    left, ids, outcomes = itertools.count(), list[str](), Counter[str]()
    memories, used, began = [memory(own)], cpu_seconds(own), time.perf_counter()

    async def look_at_memory() -> None:
        """At each quarter of the run: what only warms up stops growing after the first."""
        for quarter in (1, 2, 3):

            async def is_there(share: float = quarter / 4) -> bool:
                return len(ids) >= wanted * share

            await within(3600, "bookings that are paid", is_there, every=0.1)
            memories.append(await asyncio.to_thread(memory, own))

    async def one(who: Traveller) -> None:
        wire = await Wire.open(port)
        while next(left) < wanted:
            offer = body_of(next(turn), who)
            status, answer = await wire.timed(seen, "POST", "/v1/bookings", offer, **headers_of(who))
            if status != 201:
                continue
            booking = json.loads(answer)["id"]
            body = json.dumps({"booking_id": booking, "method": METHODS[pay]}).encode()
            status, answer = await wire.timed(paid, "POST", "/v1/payments", body, **headers_of(who))
            payment = json.loads(answer or b"{}")
            outcomes[str(payment.get("status", status))] += 1
            if status == 201 and payment["status"] == "succeeded":
                ids.append(booking)
        wire.close()

    looking = asyncio.ensure_future(look_at_memory())
    await asyncio.gather(*(one(who) for who in people))
    looking.cancel()
    seen.seconds = time.perf_counter() - began
    connection = await asyncpg.connect(facts["databases"]["booking"])
    query = "SELECT count(*) FROM booking WHERE id = ANY($1::uuid[]) AND state = 'confirmed'"
    confirmed, deadline = 0, time.perf_counter() + 300
    while confirmed < len(ids) and time.perf_counter() < deadline:
        confirmed = await connection.fetchval(query, ids)
        await asyncio.sleep(0.2)
    took = time.perf_counter() - began
    await connection.close()
    say_split("capacity", used, cpu_seconds(own), confirmed)
    memories.append(memory(own))
    behind = await until_all_is_told(facts)
    memories.append(memory(own))
    rate, refused = confirmed / took, dict(seen.codes + paid.codes)
    print(f"capacity: {confirmed} of {len(ids)} paid bookings confirmed in {took:.1f} s: {rate:.0f} a second")
    print(f"          the last document was made and the last mail sent {behind:.1f} s after the last confirmation")
    print(f"          payments as answered: {dict(outcomes)}")
    print(f"          book p95 {seen.wait_ms(0.95):.0f} ms, pay p95 {paid.wait_ms(0.95):.0f} ms {refused}")
    print(
        "          memory of each process, MB before, at each quarter, confirmed, with papers and mails behind: ",
        end="",
    )
    every = {name: [str(one.get(name, 0)) for one in memories] for name in memories[-1]}
    print(", ".join(f"{name} {'->'.join(series)}" for name, series in every.items()))
    # From the first quarter on: what is loaded at first use is loaded then. PostgreSQL's grows with its data.
    grown = {name: mb - memories[1].get(name, 0) for name, mb in memories[-2].items() if name != "postgres"}
    most = max(grown, key=lambda name: grown[name])
    return {
        "capacity_bookings": confirmed,
        "capacity_unconfirmed": len(ids) - confirmed,
        "capacity_per_second": round(confirmed / took, 1),
        "papers_and_mails_behind_seconds": round(behind, 1),
        "quarter_minutes": round(100_000 / max(confirmed / took, 0.01) / 60, 1),
        "memory_grew_most_mb": grown[most],
        "memory_grew_most": most,
    }


async def until_all_is_told(facts: dict[str, Any]) -> float:
    """Wait until no document and no message is due: what runs next has the machine to itself."""
    began = time.perf_counter()
    waiting = {
        "booking": "SELECT count(*) FROM document_job WHERE state IN ('queued', 'working')",
        "notification": "SELECT count(*) FROM delivery WHERE state IN ('waiting', 'sending') "
        "OR (state = 'queued' AND due_at < now() + interval '1 minute')",
    }
    for service, query in waiting.items():
        connection = await asyncpg.connect(facts["databases"][service])

        async def none_is_due(connection: Any = connection, query: str = query) -> bool:
            return not await connection.fetchval(query)

        await within(600, f"everything due in {service}", none_is_due, every=0.5)
        await connection.close()
    return time.perf_counter() - began


async def fill_wallets(facts: dict[str, Any], people: list[Traveller]) -> None:
    """Money for many tickets, by card."""
    port = urlsplit(facts["gateway_url"]).port or 80
    body = json.dumps({"amount": {"amount": "5000.00", "currency": "USD"}, "method": METHODS["card"]}).encode()
    wire = await Wire.open(port)
    for who in people:
        for _ in range(4):
            await wire.ask("POST", "/v1/wallet/top-ups", body, **headers_of(who))
    wire.close()


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


def play(own: Any, seconds: float, connections: int, wanted: int, pay: str) -> bool:
    """Floors, bookings, capacity; whether the targets were reached."""
    facts = own.facts
    port = urlsplit(facts["gateway_url"]).port or 80
    people = asyncio.run(travellers(facts, connections))
    found = asyncio.run(offers(facts, 1200))
    print(f"{len(people)} people, {len(found)} flights", flush=True)
    floor = database_floor(own, max(2.0, seconds / 2))
    with empty_handler() as nothing:
        handler = uvloop.run(place(nothing, people, found, max(2.0, seconds / 2)))[0].per_second(201)
    print(f"floors: pgbench {floor:,.0f} holds/s; an empty handler {handler:,.0f} requests/s", flush=True)
    uvloop.run(place(port, people, found, 1.5))  # warm
    _, already = asyncio.run(count(facts, []))
    used = cpu_seconds(own)
    seen, ids = uvloop.run(place(port, people, found, seconds))
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
    if wanted:
        if pay == "wallet":
            uvloop.run(fill_wallets(facts, people))
        found = asyncio.run(offers(facts, 1200))
        figures |= uvloop.run(capacity(own, people, found, wanted, pay))
    say(**figures)
    return rate >= TARGET and p95 <= TARGET_P95_MS and len(ids) == there == every - already


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--capacity", type=int, default=2000, help="bookings of the capacity run; 0: none")
    parser.add_argument("--pay", choices=sorted(METHODS), default="card")
    parser.add_argument("--role", choices=("empty",))
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.role == "empty":
        empty(chosen.port)
        return 0
    with stack() as own:
        reached = play(own, chosen.seconds, chosen.connections, chosen.capacity, chosen.pay)
        print(f"target {TARGET} a second with p95 under {TARGET_P95_MS} ms: {'reached' if reached else 'NOT reached'}")
        return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
