"""Searches a second through the gateway on a million flights: four kinds, no cached answer, beside the floor.

`python bench/search.py [--seconds 5] [--connections 32] [--flights 1000000] [--curve]`. flight-service and the gateway
run as in production, one process each, on the data set of `bench/data.py` (made when it is not there). Every search is
another one: routes between hubs and days are drawn at random, and the first page of twenty offers is asked for. The
floor of the same run: PostgreSQL alone answering a direct route and day by index (pgbench). `--curve` repeats it with a
hundredth and a tenth of the flights.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import uvloop
from data import HUBS, bench_postgres, dataset
from proxying import HERE as BARE
from proxying import Load, cpu_seconds, free_port, load, process, wait_ready
from stacked import say

from rihla.kernel import new_id
from rihla.testing.keyring import Keyring, new_key, public_part
from rihla_local.memory import proportional_bytes
from rihla_local.packages import postgres_bin

DAYS = 330
FLIGHTS = 1_000_000
QUERIES = 6_000
_SEED = 20_261_121


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of search and what is promised of it (api.md asks no more; the p95 is in milliseconds)."""

    name: str
    params: str
    returns_after: int = 0
    target: int = 0
    p95: float | None = None


KINDS = (
    Kind("direct", "max_stops=0", target=2_500, p95=50),
    Kind("one stop", "max_stops=1", target=1_500, p95=50),
    Kind("two stops", "max_stops=2", target=800, p95=90),
    Kind("return, one stop each way", "max_stops=1", returns_after=9, target=800),
)


def queries(kind: Kind, days: int) -> list[str]:
    """Different searches, the same in every run of one day. The last days are left out: from them nobody returns."""
    dice, first = random.Random(_SEED), datetime.now(UTC).date() + timedelta(days=3)
    found = []
    for _ in range(QUERIES):
        origin, destination = dice.sample(HUBS, 2)
        day: date = first + timedelta(days=dice.randrange(days - 20))
        back = f"&return_date={day + timedelta(days=kind.returns_after)}" if kind.returns_after else ""
        found.append(
            f"/v1/flight-offers?origin={origin}&destination={destination}&departure_date={day}{back}&{kind.params}&limit=20"
        )
    return found


def requests_of(paths: list[str], token: str = "") -> list[bytes]:
    """GET of each path; signed in as the holder of `token`."""
    signed = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"Host: bench\r\nAccept: application/json\r\nUser-Agent: bench/1\r\n{signed}\r\n"
    return [f"GET {path} HTTP/1.1\r\n{head}".encode() for path in paths]


@dataclass(frozen=True)
class Platform:
    """What is running. `bare` answers ready bytes behind the same gateway."""

    flight: int
    gateway: int
    pids: dict[str, int]
    keyring: Keyring
    loaded_in: float


@contextmanager
def platform(url: str) -> Iterator[Platform]:
    """flight-service on the data set, the gateway in front, Redis, and a stand-in for auth's keys."""
    keyring = Keyring()
    ports = {name: free_port() for name in ("bare", "redis", "flight", "gateway")}
    at = "http://127.0.0.1:{}".format
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        redis = ["redis-server", "--port", str(ports["redis"]), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        stack.enter_context(process(redis, ports["redis"]))
        jwks = json.dumps({"keys": [public_part(new_key("access-1"))]})
        bare = [sys.executable, str(BARE), "--role", "bare", "--port", str(ports["bare"])]
        stack.enter_context(process(bare, ports["bare"], BENCH_JWKS=jwks))
        began = time.monotonic()
        mine = {name.upper(): value for name, value in keyring.settings("flight").items()}
        command = [sys.executable, "-m", "uvicorn", "--factory", "flight_service.main:create_app", "--loop", "uvloop"]
        command += ["--http", "httptools", "--no-access-log", "--log-level", "warning", "--port", str(ports["flight"])]
        flight = stack.enter_context(process(command, ports["flight"], **mine, DATABASE_URL=url, NAMESPACE="bench"))
        wait_ready(ports["flight"])
        loaded = time.monotonic() - began
        theirs = {name.upper(): value for name, value in keyring.settings("gateway").items()}
        environment = {
            **theirs, "PUBLIC_URL": "http://bench.test", "NAMESPACE": f"bench{os.getpid()}",
            "REDIS_URL": f"redis://127.0.0.1:{ports['redis']}", "LIMIT_READ_PER_ADDRESS": "100000000",
            "AUTH_URL": at(ports["bare"]), "BOOKING_URL": "", "PAYMENT_URL": "", "FLIGHT_URL": at(ports["flight"]),
            "NOTIFICATION_URL": "", "CHAT_URL": "",
        }  # fmt: skip
        command = [sys.executable, "-m", "gateway", "--port", str(ports["gateway"])]
        gateway = stack.enter_context(process(command, ports["gateway"], **environment))
        wait_ready(ports["gateway"])
        pids = {"flight": flight.pid, "gateway": gateway.pid}
        yield Platform(ports["flight"], ports["gateway"], pids, keyring, loaded)


def trial(place: Platform, kind: Kind, seconds: float, connections: int, days: int, figures: dict[str, Any]) -> bool:
    """One kind, directly and through the gateway; whether its promise was kept."""
    paths = queries(kind, days)
    token = place.keyring.token(audience="flight", user_id=new_id())
    direct: Load = uvloop.run(load(place.flight, requests_of(paths, token), connections, seconds))
    before = {name: cpu_seconds(pid) for name, pid in place.pids.items()}
    found: Load = uvloop.run(load(place.gateway, requests_of(paths), connections, seconds))
    made = max(found.per_second * seconds, 1)
    spent = {name: (cpu_seconds(pid) - before[name]) / made * 1e6 for name, pid in place.pids.items()}
    print(
        f"{kind.name:26} {found.per_second:7,.0f}/s  p50 {found.p50:6.2f}  p95 {found.p95:6.2f} ms"
        f"  {found.failures} failed; CPU a search: flight-service {spent['flight']:.0f} us,"
        f" gateway {spent['gateway']:.0f} us; directly {direct.per_second:,.0f}/s p95 {direct.p95:.2f} ms",
        flush=True,
    )
    figures[f"{kind.name}, a second"] = round(found.per_second)
    figures[f"{kind.name}, p95 ms"] = round(found.p95, 1)
    figures[f"{kind.name}, directly, a second"] = round(direct.per_second)
    figures[f"{kind.name}, us of CPU in flight-service"] = round(spent["flight"])
    kept = found.failures == 0 and direct.failures == 0
    return kept and found.per_second >= kind.target and (kind.p95 is None or found.p95 <= kind.p95)


_FLOOR = """\\set o random(1, {hubs})
\\set d random(1, {hubs})
\\set day random(3, {days})
SELECT f.id, f.flight_number, f.departure_at, f.arrival_at, f.base_fares, c.free_seats FROM flight f
JOIN cabin_inventory c ON c.flight_id = f.id AND c.cabin = 'economy'
WHERE f.origin = ('{{{names}}}'::text[])[:o::int] AND f.destination = ('{{{names}}}'::text[])[:d::int]
AND f.local_date = (now() AT TIME ZONE 'UTC')::date + :day::int ORDER BY f.departure_at LIMIT 20;
"""


def pgbench_floor(url: str, seconds: float, days: int) -> float:
    """Direct routes a second as PostgreSQL alone finds them, eight connections."""
    binaries = postgres_bin()
    assert binaries is not None
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(_FLOOR.format(hubs=len(HUBS), names=",".join(HUBS), days=days - 20))
        file.flush()
        command = [
            str(binaries / "pgbench"),
            "-n",
            "-M",
            "prepared",
            "-c",
            "8",
            "-j",
            "2",
            "-T",
            str(max(1, int(seconds))),
        ]
        done = subprocess.run([*command, "-f", file.name, url], capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    return float(found.group(1)) if found else 0.0


def measure(admin: str, flights: int, seconds: float, connections: int, figures: dict[str, Any]) -> bool:
    """Everything at one size of the network; whether every promise was kept."""
    days = max(30, min(DAYS, flights * DAYS // FLIGHTS))
    url = dataset(admin, flights, days)
    with platform(url) as place:
        reached = True
        for kind in KINDS:
            warm = requests_of(queries(kind, days)[:500])
            uvloop.run(load(place.gateway, warm, connections, min(1.0, seconds)))
            reached &= trial(place, kind, seconds, connections, days, figures)
        memory = proportional_bytes(place.pids["flight"]) / 1e6
        print(f"{flights:,} flights: ready after {place.loaded_in:.1f} s, flight-service holds {memory:.0f} MB")
        figures["flight-service MB"] = round(memory)
        figures["seconds to load the timetable"] = round(place.loaded_in, 1)
        floor = pgbench_floor(url, seconds, days)
        print(f"floor: PostgreSQL alone, direct routes by index {floor:,.0f}/s")
        figures["floor_pgbench_direct_per_second"] = round(floor)
        figures["ratio_to_pgbench"] = round(figures["direct, a second"] / floor, 3) if floor else 0
    return reached


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--flights", type=int, default=FLIGHTS)
    parser.add_argument("--curve", action="store_true")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {}
    with bench_postgres() as admin:
        if chosen.curve:
            for flights in (chosen.flights // 100, chosen.flights // 10):
                smaller: dict[str, Any] = {}
                measure(admin, flights, chosen.seconds, chosen.connections, smaller)
                for name in ("direct, a second", "one stop, a second", "two stops, a second", "flight-service MB"):
                    figures[f"{flights:,} flights: {name}"] = smaller[name]
        reached = measure(admin, chosen.flights, chosen.seconds, chosen.connections, figures)
    print("targets: " + ", ".join(f"{kind.name} {kind.target:,}/s" for kind in KINDS), end=": ")
    print("reached" if reached else "NOT reached")
    say(**figures)
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
