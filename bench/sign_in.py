"""Sign-ins a second and a core, while somebody else goes on reading: the wait of others is the point.

`python bench/sign_in.py [--seconds 5] [--connections 8] [--people 64]` against the stack of BENCH_STACK or one of its
own. Everybody signs in with a password, again and again, through the gateway; beside them one connection reads the
account of somebody signed in, a hundred times a second. The floor of the same run: the same Argon2id computation on one
thread with nothing around it. Sign-ins a core are those a second of CPU time of auth-service and its database made.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from holds import cpu_seconds
from stacked import say, stack, travellers
from wire import Seen, Wire

from auth_service.passwords.hashing import Passwords
from rihla_local.traveller import PASSWORD, Traveller

TARGET_A_CORE, TARGET_P99_MS = 25, 100
READ_EVERY_SECONDS = 0.01


async def floor(seconds: float) -> float:
    """Verifications a second on one thread."""
    passwords = Passwords(threads=1, queue=1)
    stored = await passwords.hash(PASSWORD)
    began, made = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        assert await passwords.verify(PASSWORD, stored)
        made += 1
    passwords.close()
    return made / (time.perf_counter() - began)


async def sign_in(port: int, people: list[Traveller], connections: int, seconds: float) -> Seen:
    """Closed loop of sign-ins."""
    seen, turn = Seen(), itertools.cycle(people)
    end = time.perf_counter() + seconds

    async def one() -> None:
        wire = await Wire.open(port)
        while time.perf_counter() < end:
            body = json.dumps({"identifier": next(turn).email, "password": PASSWORD}).encode()
            await wire.timed(seen, "POST", "/v1/auth/login", body)
        wire.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    seen.seconds = time.perf_counter() - began
    return seen


async def read_on(port: int, who: Traveller, seconds: float) -> Seen:
    """Somebody reads their account, a hundred times a second at most."""
    seen, end = Seen(), time.perf_counter() + seconds
    wire = await Wire.open(port)
    while time.perf_counter() < end:
        await wire.timed(seen, "GET", "/v1/me", authorization=f"Bearer {who.tokens['access_token']}")
        await asyncio.sleep(READ_EVERY_SECONDS)
    wire.close()
    return seen


async def database_pids(url: str) -> list[int]:
    """The server processes that work for auth-service."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    return [int(row[0]) for row in rows]


async def play(own: Any, seconds: float, connections: int, count: int) -> bool:
    """Measure and print; whether the promise was kept."""
    facts = own.facts
    port = urlsplit(facts["gateway_url"]).port or 80
    people = await travellers(facts, count)
    alone = await floor(min(2.0, seconds))
    quiet = await read_on(port, people[0], min(2.0, seconds))
    await sign_in(port, people, connections, 0.5)  # warm
    pids = [own.pids()["auth"], *await database_pids(facts["databases"]["auth"])]
    before = cpu_seconds(pids)
    seen, others = await asyncio.gather(sign_in(port, people, connections, seconds), read_on(port, people[0], seconds))
    spent = cpu_seconds(pids) - before
    made = seen.statuses[200]
    a_core = made / max(spent, 0.01)
    print(f"floor: Argon2id alone on one thread {alone:.1f}/s")
    print(f"sign-ins: {seen.per_second(200):.1f}/s over {connections} connections, p95 {seen.wait_ms(0.95):.0f} ms;")
    print(f"          {a_core:.1f} a second of CPU of auth-service and its database; {dict(seen.codes)}")
    print(
        f"others meanwhile: p50 {others.wait_ms(0.5):.1f}  p99 {others.wait_ms(0.99):.1f} ms"
        f"  (with nobody signing in: p50 {quiet.wait_ms(0.5):.1f}  p99 {quiet.wait_ms(0.99):.1f} ms)"
    )
    say(
        floor_argon2_per_second_one_thread=round(alone, 1),
        sign_ins_per_second=round(seen.per_second(200), 1),
        sign_ins_p95_ms=round(seen.wait_ms(0.95)),
        sign_ins_per_core_second=round(a_core, 1),
        ratio_to_floor=round(a_core / alone, 2),
        others_p99_ms=round(others.wait_ms(0.99), 1),
        others_p99_ms_when_quiet=round(quiet.wait_ms(0.99), 1),
        refused=sum(seen.statuses.values()) - made,
    )
    return a_core >= TARGET_A_CORE and others.wait_ms(0.99) <= TARGET_P99_MS and made == sum(seen.statuses.values())


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--people", type=int, default=64)
    chosen = parser.parse_args()
    with stack() as own:
        reached = uvloop.run(play(own, chosen.seconds, chosen.connections, chosen.people))
    print(f"target {TARGET_A_CORE} a second a core, others p99 under {TARGET_P99_MS} ms: ", end="")
    print("reached" if reached else "NOT reached")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
