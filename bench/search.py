"""Searches a second through the gateway on a million flights: four kinds, no cached answer, beside the floor.

`python bench/search.py [--seconds 5] [--connections 32] [--flights 1000000] [--curve]`. flight-service and the gateway
run as in production, one process each, on the data set of `bench/data.py` (made when it is not there). Every search is
another one: routes between hubs and days are drawn at random, and the first page of twenty offers is asked for. Floors
of the same run: PostgreSQL alone on a read model with covering indexes (pgbench), the timetable alone in one process
without HTTP (journeys only, and whole pages), and the same gateway before a handler that answers a page of ready bytes.
`--curve` repeats it with a hundredth and a tenth of the flights.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from data import HUBS, bench_postgres, dataset
from image import AS_THE_IMAGE
from proxying import BareProtocol, Load, cpu_seconds, free_port, load, process, wait_ready
from stacked import say
from wire import Wire

from flight_service.bootstrap import Container, open_container
from flight_service.search.api import read_params
from flight_service.search.find_offers import OfferRun
from flight_service.search.query import QueryReader
from flight_service.settings import Settings
from rihla.kernel import SystemClock, new_id
from rihla.testing.keyring import Keyring, new_key, public_part
from rihla_local.memory import proportional_bytes
from rihla_local.packages import postgres_bin

DAYS = 330
FLIGHTS = 1_000_000
QUERIES = 6_000
ALONE = 500
"""Searches of each kind that the timetable answers without HTTP."""
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
    """What is running: ports, process ids."""

    flight: int
    gateway: int
    redis: int
    auth: int
    pids: dict[str, tuple[int, ...]]
    keyring: Keyring
    loaded_in: float


@contextmanager
def platform(url: str, processes: int = 1) -> Iterator[Platform]:
    """flight-service on the data set in so many processes, the gateway in front, Redis, and a stand-in for auth's
    keys.
    """
    keyring = Keyring()
    ports = {name: free_port() for name in ("bare", "redis", "gateway")}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        redis = ["redis-server", "--port", str(ports["redis"]), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        stack.enter_context(process(redis, ports["redis"]))
        stack.enter_context(ready_bytes(ports["bare"]))
        began, flights = time.monotonic(), [free_port() for _ in range(processes)]
        pids = tuple(stack.enter_context(flight_service(url, port, keyring)).pid for port in flights)
        for port in flights:
            wait_ready(port)
        loaded = time.monotonic() - began
        gateway = stack.enter_context(gateway_before(flights, ports["gateway"], ports["redis"], ports["bare"], keyring))
        every = {"flight": pids, "gateway": (gateway.pid,)}
        yield Platform(flights[0], ports["gateway"], ports["redis"], ports["bare"], every, keyring, loaded)


@contextmanager
def flight_service(url: str, port: int, keyring: Keyring) -> Iterator[subprocess.Popen[bytes]]:
    """One process of it, as the image starts it; perhaps not ready yet."""
    mine = {name.upper(): value for name, value in keyring.settings("flight").items()}
    command = [sys.executable, "-m", "uvicorn", "--factory", "flight_service.main:create_app", "--port", str(port)]
    command += [*AS_THE_IMAGE, "--loop", "uvloop", "--log-level", "warning"]
    with process(command, port, **mine, DATABASE_URL=url, NAMESPACE="bench") as child:
        yield child


@contextmanager
def ready_bytes(port: int, page: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers `page`, whatever is asked; also what the gateway asks of auth-service."""
    jwks = json.dumps({"keys": [public_part(new_key("access-1"))]})
    command = [
        sys.executable,
        __file__,
        "--role",
        "bare",
        "--port",
        str(port),
        *(["--page", str(page)] if page else []),
    ]
    with process(command, port, BENCH_JWKS=jwks) as child:
        yield child


class ReadyBytes(BareProtocol):
    """What `--role bare` serves: BareProtocol, described as flight-service's search."""

    document = json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "b", "version": "1"},
            "paths": {"/v1/flight-offers": {"get": {"operationId": "b", "responses": {"200": {"description": "ok"}}}}},
        }
    ).encode()


def serve_ready_bytes(port: int, page: Path | None) -> None:
    """Until it is stopped."""
    ReadyBytes.jwks = os.environ["BENCH_JWKS"].encode()
    if page is not None:
        body = page.read_bytes()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        ReadyBytes.answer = head + body

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(ReadyBytes, "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    uvloop.run(run())


@contextmanager
def gateway_before(
    flights: Sequence[int], port: int, redis: int, auth: int, keyring: Keyring
) -> Iterator[subprocess.Popen[bytes]]:
    """A ready gateway with flight-service on these ports behind it."""
    at = "http://127.0.0.1:{}".format
    mine = {name.upper(): value for name, value in keyring.settings("gateway").items()}
    environment = {
        **mine, "PUBLIC_URL": "http://bench.test", "NAMESPACE": f"bench{os.getpid()}", "REDIS_URL": f"redis://127.0.0.1:{redis}",
        "LIMIT_READ_PER_ADDRESS": "100000000", "AUTH_URL": at(auth), "FLIGHT_URL": ",".join(map(at, flights)),
        "BOOKING_URL": "", "PAYMENT_URL": "", "NOTIFICATION_URL": "", "CHAT_URL": "",
    }  # fmt: skip
    with process([sys.executable, "-m", "gateway", "--port", str(port)], port, **environment) as child:
        wait_ready(port)
        yield child


def trial(place: Platform, kind: Kind, seconds: float, connections: int, days: int, figures: dict[str, Any]) -> bool:
    """One kind, directly and through the gateway; whether its promise was kept."""
    paths = queries(kind, days)
    token = place.keyring.token(audience="flight", user_id=new_id())
    direct: Load = uvloop.run(load(place.flight, requests_of(paths, token), connections, seconds))
    before = used(place)
    found: Load = uvloop.run(load(place.gateway, requests_of(paths), connections, seconds))
    made = max(found.per_second * seconds, 1)
    spent = {name: (seconds - before[name]) / made * 1e6 for name, seconds in used(place).items()}
    print(
        f"{kind.name:26} {found.per_second:7,.0f}/s  p50 {found.p50:6.2f}  p95 {found.p95:6.2f} ms"
        f"  {found.failures} failed; CPU a search: flight-service {spent['flight']:.0f} us,"
        f" gateway {spent['gateway']:.0f} us; directly {direct.per_second:,.0f}/s p95 {direct.p95:.2f} ms",
        flush=True,
    )
    figures[f"{kind.name}, a second"] = round(found.per_second)
    figures[f"{kind.name}, p50 ms"] = round(found.p50, 1)
    figures[f"{kind.name}, p95 ms"] = round(found.p95, 1)
    figures[f"{kind.name}, directly, a second"] = round(direct.per_second)
    figures[f"{kind.name}, us of CPU in flight-service"] = round(spent["flight"])
    kept = found.failures == 0 and direct.failures == 0
    return kept and found.per_second >= kind.target and (kind.p95 is None or found.p95 <= kind.p95)


def used(place: Platform) -> dict[str, float]:
    """Seconds of CPU up to now."""
    return {name: sum(map(cpu_seconds, pids)) for name, pids in place.pids.items()}


def on_both_cores(url: str, seconds: float, connections: int, days: int, figures: dict[str, Any]) -> bool:
    """The same searches with a second process of flight-service, which fills one core alone."""
    with platform(url, processes=2) as place:
        print("two processes of flight-service:")
        reached = True
        for kind in KINDS:
            warm(place, kind, seconds, connections, days)
            mine: dict[str, Any] = {}
            reached &= trial(place, kind, seconds, connections, days, mine)
            figures |= {f"two processes, {name}": value for name, value in mine.items() if "directly" not in name}
    return reached


def warm(place: Platform, kind: Kind, seconds: float, connections: int, days: int) -> None:
    """What a process learns by its first searches."""
    uvloop.run(load(place.gateway, requests_of(queries(kind, days)[:500]), connections, min(1.0, seconds)))


# ---- floors

_READ_MODEL = """
CREATE TABLE IF NOT EXISTS floor_leg AS SELECT f.id, f.flight_number, f.origin, f.destination, f.local_date,
    f.departure_at, f.arrival_at, f.base_fares[1] AS fare, c.free_seats
FROM flight f JOIN cabin_inventory c ON c.flight_id = f.id AND c.cabin = 'economy';
CREATE INDEX IF NOT EXISTS floor_leg_day ON floor_leg (origin, local_date, destination, departure_at)
    INCLUDE (id, flight_number, arrival_at, fare, free_seats);
CREATE INDEX IF NOT EXISTS floor_leg_route ON floor_leg (destination, origin, departure_at)
    INCLUDE (id, flight_number, arrival_at, fare, free_seats);
"""
_DRAWN = """\\set o random(1, {hubs})
\\set d random(1, {hubs})
\\set day random(3, {days})
"""
_ROUTE = """'{{{names}}}'::text[])[:{end}::int]"""
_DIRECT = """SELECT id, flight_number, departure_at, arrival_at, fare, free_seats FROM floor_leg
WHERE origin = ({origin} AND destination = ({destination} AND free_seats >= 1
AND local_date = (now() AT TIME ZONE 'UTC')::date + :day::int ORDER BY fare LIMIT 20;
"""
_ONE_STOP = """SELECT a.id, b.id, a.departure_at, a.arrival_at, b.departure_at, b.arrival_at, a.fare + b.fare AS fare
FROM floor_leg a JOIN floor_leg b ON b.origin = a.destination
    AND b.departure_at BETWEEN a.arrival_at + interval '1 hour' AND a.arrival_at + interval '24 hours'
WHERE a.origin = ({origin} AND b.destination = ({destination} AND a.free_seats >= 1 AND b.free_seats >= 1
AND a.local_date = (now() AT TIME ZONE 'UTC')::date + :day::int ORDER BY 7 LIMIT 20;
"""


async def _read_model(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_READ_MODEL, timeout=300)
    await connection.execute("VACUUM ANALYZE floor_leg", timeout=300)
    await connection.close()


def pgbench_floor(url: str, question: str, seconds: float, days: int) -> float:
    """The same routes and days as PostgreSQL alone answers them, four connections; no prices, no offers, no JSON."""
    binaries = postgres_bin()
    assert binaries is not None
    ends = {name: _ROUTE.format(names=",".join(HUBS), end=end) for name, end in (("origin", "o"), ("destination", "d"))}
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(_DRAWN.format(hubs=len(HUBS), days=days - 18) + question.format(**ends))
        file.flush()
        command = [str(binaries / "pgbench"), "-n", "-M", "prepared", "-c", "4", "-j", "1"]
        command += ["-T", str(max(1, int(seconds))), "-f", file.name, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench: {done.stderr[-500:]}")
    return float(found.group(1))


def empty_handler_floor(place: Platform, seconds: float, connections: int) -> Load:
    """The gateway as it stands, before a handler that answers one real page of ready bytes to every search."""
    paths, ports = queries(KINDS[1], DAYS), (free_port(), free_port())
    with tempfile.NamedTemporaryFile("wb", suffix=".json") as page, ExitStack() as stack:
        page.write(asyncio.run(_page(place, paths[0])))
        page.flush()
        stack.enter_context(ready_bytes(ports[0], Path(page.name)))
        stack.enter_context(gateway_before([ports[0]], ports[1], place.redis, place.auth, place.keyring))
        uvloop.run(load(ports[1], requests_of(paths), connections, min(1.0, seconds)))
        found: Load = uvloop.run(load(ports[1], requests_of(paths), connections, seconds))
    return found


async def _page(place: Platform, path: str) -> bytes:
    wire = await Wire.open(place.gateway)
    status, body = await wire.ask("GET", path)
    wire.close()
    assert status == 200, body
    return body


async def timetable_alone(url: str, days: int) -> dict[str, tuple[float, float]]:
    """CPU microseconds of a search in this process, without HTTP: journeys and prices found; a whole page written."""
    settings = Settings.model_validate({"database_url": url, **Keyring().settings("flight")})
    async with open_container(settings, SystemClock()) as found:
        await found.feed.fresh()
        return {kind.name: _alone(found, queries(kind, days)) for kind in KINDS}


def _alone(found: Container, paths: list[str]) -> tuple[float, float]:
    network, now = found.feed.timetable.live, found.clock.now()
    reader = QueryReader(found.feed.reference, network, now)
    asked = [reader.from_params(read_params(path.partition("?")[2].encode())) for path in paths[: 2 * ALONE]]
    warm, asked = asked[:ALONE], asked[ALONE:]
    for query in warm:
        found.search.find(query, test_mode=False)
    began = time.process_time()
    for query in asked:
        OfferRun(found.feed, found.offers.pricer, query, now, False).options()
    journeys = time.process_time()
    for query in asked:
        found.search.find(query, test_mode=False)
    return (journeys - began) / len(asked) * 1e6, (time.process_time() - journeys) / len(asked) * 1e6


def floors(url: str, place: Platform, seconds: float, connections: int, days: int, figures: dict[str, Any]) -> None:
    """Print every floor, and how much of it the platform keeps."""
    asyncio.run(_read_model(url))
    empty = empty_handler_floor(place, seconds, connections)
    if empty.failures:
        raise RuntimeError(f"the empty handler's floor is none: {empty.failures} answers were no 200")
    print(f"floor: the gateway before ready bytes {empty.per_second:,.0f}/s p95 {empty.p95:.2f} ms")
    figures["floor_empty_handler_per_second"] = round(empty.per_second)
    for name, question in (("direct", _DIRECT), ("one stop", _ONE_STOP)):
        floor = pgbench_floor(url, question, seconds, days)
        print(f"floor: PostgreSQL alone on a read model, {name} {floor:,.0f}/s", flush=True)
        figures[f"floor_pgbench_{name.replace(' ', '_')}_per_second"] = round(floor)
        figures[f"{name}, ratio to pgbench"] = round(figures[f"{name}, a second"] / floor, 2)
    for kind in KINDS:
        ratio = figures[f"{kind.name}, a second"] / empty.per_second
        figures[f"{kind.name}, ratio to the empty handler"] = round(ratio, 2)


def floor_alone(url: str, days: int, figures: dict[str, Any]) -> None:
    """Print what the timetable needs without HTTP. Run with the platform stopped: it has a timetable of its own."""
    for name, (journeys, page) in uvloop.run(timetable_alone(url, days)).items():
        print(f"floor: timetable alone, {name}: journeys and prices {journeys:.0f} us, a page {page:.0f} us of CPU")
        figures[f"floor_timetable {name}, us"] = round(journeys)
        figures[f"floor_page_without_http {name}, us"] = round(page)


def measure(
    admin: str, flights: int, seconds: float, connections: int, figures: dict[str, Any], *, beside_floors: bool
) -> bool:
    """Everything at one size of the network; whether every promise was kept."""
    days = max(30, min(DAYS, flights * DAYS // FLIGHTS))
    url = dataset(admin, flights, days)
    with platform(url) as place:
        reached = True
        for kind in KINDS:
            warm(place, kind, seconds, connections, days)
            reached &= trial(place, kind, seconds, connections, days, figures)
        memory = sum(map(proportional_bytes, place.pids["flight"])) / 1e6
        print(f"{flights:,} flights: ready after {place.loaded_in:.1f} s, flight-service holds {memory:.0f} MB")
        figures["flight-service MB"] = round(memory)
        figures["seconds to load the timetable"] = round(place.loaded_in, 1)
        if beside_floors:
            floors(url, place, seconds, connections, days, figures)
    if beside_floors:
        if not reached:
            reached = on_both_cores(url, seconds, connections, days, figures)
        floor_alone(url, days, figures)
    return reached


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--flights", type=int, default=FLIGHTS)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--role", choices=("bare",))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--page", type=Path)
    chosen = parser.parse_args()
    if chosen.role:
        serve_ready_bytes(chosen.port, chosen.page)
        return 0
    figures: dict[str, Any] = {}
    with bench_postgres() as admin:
        if chosen.curve:
            for flights in (chosen.flights // 100, chosen.flights // 10):
                smaller: dict[str, Any] = {}
                measure(admin, flights, chosen.seconds, chosen.connections, smaller, beside_floors=False)
                for name in ("direct, a second", "one stop, a second", "two stops, a second", "flight-service MB"):
                    figures[f"{flights:,} flights: {name}"] = smaller[name]
        reached = measure(admin, chosen.flights, chosen.seconds, chosen.connections, figures, beside_floors=True)
    print("targets: " + ", ".join(f"{kind.name} {kind.target:,}/s" for kind in KINDS), end=": ")
    print("reached" if reached else "NOT reached")
    say(**figures)
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
