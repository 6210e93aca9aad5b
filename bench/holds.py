"""Holds a second: the database's floor, each hold in a transaction of its own, concurrent holds grouped; then a sale.

`python bench/holds.py [--seconds 5] [--connections 64]` starts a private PostgreSQL with durable commits, seeds the
network, runs flight-service with one worker as in production, and calls PUT /internal/v1/holds directly with
booking-service's token. Offers are real ones, found by search. Besides holds a second, which depend on what else the
machine does, it prints CPU time a hold.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop
from durable import durable_postgres, free_port
from image import AS_THE_IMAGE

from rihla.db import Database
from rihla.db.migrations import upgrade
from rihla.kernel import new_id
from rihla.testing.databases import with_database
from rihla.testing.keyring import Keyring
from rihla_local.packages import postgres_bin

HERE = Path(__file__).resolve()
SERVICE = HERE.parents[1] / "flight-service"
BUYERS, SEATS = 2_000, 180
PLENTY = 30_000
"""Seats of a flight whose sale is to go on; the timetable counts seats in sixteen bits."""
TARGET, TARGET_P99_MS, TARGET_SALE_SECONDS = 3_000, 60.0, 5.0


# ---- the service


def create() -> Any:
    """As in production; BENCH_ALONE=1 takes the grouping out: eight connections, each hold in its own transaction."""
    from flight_service import bootstrap
    from flight_service.inventory.desk import HoldDesk
    from flight_service.inventory.hold_seats import HoldSeats
    from flight_service.main import create_app

    class Alone:
        """Eight writers, each taking one hold at a time."""

        def __init__(self, pool: Any, clock: Any) -> None:
            self._free: asyncio.Queue[HoldSeats] = asyncio.Queue()
            for _ in range(8):
                self._free.put_nowait(HoldSeats(pool, clock))

        async def submit(self, hold: Any) -> Any:
            writer = await self._free.get()
            try:
                (answer,) = await writer.group([hold])
            finally:
                self._free.put_nowait(writer)
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def close(self) -> None:
            while not self._free.empty():
                await self._free.get_nowait().close()

    class AloneDesk(HoldDesk):
        """The desk without groups."""

        def __init__(self, pool: Any, clock: Any, offers: Any, fleet: Any) -> None:
            super().__init__(pool, clock, offers, fleet)
            self._holds = Alone(pool, clock)  # type: ignore[assignment]

    if os.environ.get("BENCH_ALONE"):
        vars(bootstrap)["HoldDesk"] = AloneDesk
    return create_app()


@contextmanager
def serving(environment: dict[str, str], *, alone: bool) -> Iterator[tuple[int, int]]:
    """(port, pid) of a ready service."""
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", "--factory", "holds:create", "--port", str(port), "--loop", "uvloop"]
    argv += [*AS_THE_IMAGE, "--log-level", "warning", "--backlog", "4096"]
    environment = {**os.environ, **environment, **({"BENCH_ALONE": "1"} if alone else {})}
    process = subprocess.Popen(argv, cwd=HERE.parent, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 90
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


# ---- the buyers


@dataclass
class Outcome:
    """What a run saw."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)

    def per_second(self) -> float:
        return self.codes[201] / self.seconds

    def wait_ms(self, share: float) -> float:
        """The wait that this share of requests did not exceed."""
        return sorted(self.waits)[min(int(len(self.waits) * share), len(self.waits) - 1)] * 1e3


class Buyer(asyncio.Protocol):
    """One keep-alive connection; costs as little as a Python client can."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.seen = b""
        self.answer: asyncio.Future[int] | None = None

    def data_received(self, data: bytes) -> None:
        self.seen += data
        head = self.seen.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self.seen[:head].lower()
        at = lower.find(b"content-length:") + 15
        length = int(lower[at:].split(b"\r\n", 1)[0])
        if len(self.seen) >= head + 4 + length and self.answer:
            status = int(self.seen[9:12])
            self.seen = b""
            self.answer.set_result(status)

    async def hold(self, token: str, offer: str, until: str) -> int:
        """PUT a new hold of one adult; the status of the answer."""
        line = (
            f'{{"passenger_id":"{new_id()}","type":"adult","date_of_birth":"1988-04-01","seats":[],'
            '"seat_preference":"window","extras":[]}'
        )
        body = f'{{"offer_id":"{offer}","expires_at":"{until}","lines":[{line}]}}'
        head = (
            f"PUT /internal/v1/holds/{new_id()} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write((head + body).encode())
        return await self.answer


def _until() -> str:
    return (datetime.now(UTC) + timedelta(minutes=17)).isoformat()


async def load(port: int, token: str, offers: list[str], connections: int, seconds: float) -> Outcome:
    """Buyers who hold one random offer after the other."""
    outcome, loop, until = Outcome(), asyncio.get_running_loop(), _until()
    end = time.perf_counter() + seconds

    async def buy() -> None:
        _, buyer = await loop.create_connection(Buyer, "127.0.0.1", port)
        while (started := time.perf_counter()) < end:
            outcome.codes[await buyer.hold(token, random.choice(offers), until)] += 1
            outcome.waits.append(time.perf_counter() - started)
        buyer.transport.close()

    started = time.perf_counter()
    await asyncio.gather(*(buy() for _ in range(connections)))
    outcome.seconds = time.perf_counter() - started
    return outcome


async def sale(port: int, token: str, offer: str) -> Outcome:
    """Two thousand buyers, each on a connection of their own, all at once."""
    outcome, loop, until = Outcome(), asyncio.get_running_loop(), _until()
    buyers = [(await loop.create_connection(Buyer, "127.0.0.1", port))[1] for _ in range(BUYERS)]

    async def buy(buyer: Buyer) -> None:
        started = time.perf_counter()
        outcome.codes[await buyer.hold(token, offer, until)] += 1
        outcome.waits.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(buy(buyer) for buyer in buyers))
    outcome.seconds = time.perf_counter() - started
    for buyer in buyers:
        buyer.transport.close()
    return outcome


# ---- the database


async def prepare(url: str) -> None:
    """The seeded network of three days."""
    from flight_service.network.load_network import load_network

    db = Database(url, statement_timeout_ms=120_000)
    await load_network(db, now=datetime.now(UTC), days_ahead=4)
    await db.close()


async def widen(url: str, flights: list[str], seats: int) -> None:
    """Give flights so many free seats that a run cannot sell them out (or, for the sale, exactly so many)."""
    connection = await asyncpg.connect(url)
    sql = (
        "UPDATE cabin_inventory SET capacity = $2::int + sold_seats + held_seats, free_seats = $2::int, "
        "version = version + 1 "
    )
    await connection.execute(sql + "WHERE cabin = 'economy' AND flight_id = ANY ($1::uuid[])", flights, seats)
    await connection.close()


async def find_offers(url: str, port: int, token: str, wanted: int) -> dict[str, str]:
    """Real offers of different flights: flight id -> offer id."""
    connection = await asyncpg.connect(url)
    sql = (
        "SELECT origin, destination, local_date FROM flight WHERE departure_at BETWEEN now() + interval '1 day' AND "
        "now() + interval '3 days' AND airline <> 'ZZ' GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, 2, 3"
    )
    routes = await connection.fetch(sql)
    await connection.close()
    found: dict[str, str] = {}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {token}"}
    ) as client:
        for origin, destination, day in routes:
            asked = {
                "origin": origin,
                "destination": destination,
                "departure_date": str(day),
                "max_stops": 0,
                "limit": 50,
            }
            for offer in (await client.get("/v1/flight-offers", params=asked)).raise_for_status().json()["items"]:
                found[offer["slices"][0]["segments"][0]["flight_id"]] = offer["id"]
            if len(found) >= wanted:
                break
    return found


def pgbench_floor(url: str, seconds: float, clients: int) -> dict[str, float]:
    """The same work in one function call, without us: insert a hold, move the counter under its version."""
    folder = postgres_bin()
    if folder is None or not (folder / "pgbench").exists():
        return {}

    def run(sql: str) -> None:
        subprocess.run([str(folder / "psql"), url, "-qc", sql], check=True, capture_output=True)

    run("CREATE TABLE floor_cabin (id int PRIMARY KEY, free_seats int CHECK (free_seats >= 0), version bigint)")
    run("INSERT INTO floor_cabin SELECT n, 100000000, 0 FROM generate_series(1, 1000) n")
    run("CREATE TABLE floor_hold (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), cabin int, priced text)")
    run(
        "CREATE FUNCTION floor_take(c int) RETURNS void LANGUAGE plpgsql AS $$ DECLARE v bigint; BEGIN LOOP "
        "SELECT version INTO v FROM floor_cabin WHERE id = c; "
        "UPDATE floor_cabin SET free_seats = free_seats - 1, version = version + 1 "
        "WHERE id = c AND version = v AND free_seats >= 1; "
        "EXIT WHEN FOUND; END LOOP; INSERT INTO floor_hold (cabin, priced) VALUES (c, repeat('x', 1200)); END $$"
    )
    floor = {}
    for kind, most in (("spread", 1000), ("hot", 1)):
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(f"\\set c random(1, {most})\nSELECT floor_take(:c);\n")
            script.flush()
            os.chmod(script.name, 0o644)
            argv = [
                str(folder / "pgbench"),
                "-n",
                "-M",
                "prepared",
                "-c",
                str(clients),
                "-j",
                "2",
                "-T",
                str(int(seconds)),
            ]
            done = subprocess.run([*argv, "-f", script.name, url], capture_output=True, text=True, check=True)
        floor[kind] = next(float(line.split()[2]) for line in done.stdout.splitlines() if line.startswith("tps"))
    return floor


def cpu_seconds(pids: list[int]) -> float:
    """CPU time these processes have used."""
    ticks = 0
    for pid in pids:
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(parts[11]) + int(parts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def backends(url: str) -> list[int]:
    """Server processes of this database."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    return [row[0] for row in rows]


# ---- the run


def measure(name: str, url: str, pid: int, run: Any) -> Outcome:
    """Run it and print a line."""
    backend_pids = asyncio.run(backends(url))
    before = cpu_seconds([pid]), cpu_seconds(backend_pids)
    outcome: Outcome = uvloop.run(run)
    held = max(outcome.codes[201], 1)
    ours, theirs = cpu_seconds([pid]) - before[0], cpu_seconds(backend_pids) - before[1]
    waits = f"p50 {outcome.wait_ms(0.5):6.1f}  p99 {outcome.wait_ms(0.99):6.1f} ms"
    cpu = f"CPU a hold: service {ours / held * 1e6:4.0f} us, database {theirs / held * 1e6:4.0f} us"
    print(f"{name:24} {outcome.per_second():8,.0f} holds/s  {waits}  {cpu}  {dict(outcome.codes)}", flush=True)
    return outcome


def play(url: str, seconds: float, connections: int) -> bool:
    """All runs; whether the targets were reached."""
    keyring = Keyring()
    environment = {name.upper(): value for name, value in keyring.settings("flight").items()} | {"DATABASE_URL": url}
    floor = pgbench_floor(url, seconds, 32)
    for kind, tps in floor.items():
        print(f"{f'floor (pgbench), {kind}':24} {tps:8,.0f} holds/s")
    reached = True
    for alone in (True, False):
        with serving(environment, alone=alone) as (port, pid):

            def token() -> str:
                return keyring.token(audience="flight", issuer="booking")

            found = asyncio.run(find_offers(url, port, keyring.token(audience="flight", user_id=new_id()), 300))
            name, offers = "alone" if alone else "grouped", list(found.values())
            asyncio.run(widen(url, list(found), PLENTY))
            uvloop.run(load(port, token(), offers, connections, 1.0))  # warm: prepared statements, opened offers
            for kind, some in (("spread", offers), ("hot", offers[:1])):
                asyncio.run(widen(url, list(found), PLENTY))
                outcome = measure(f"{name}, {kind}", url, pid, load(port, token(), some, connections, seconds))
                if not alone:
                    reached &= outcome.per_second() >= TARGET and outcome.wait_ms(0.99) <= TARGET_P99_MS
            asyncio.run(widen(url, [next(iter(found))], SEATS))
            outcome = measure(f"{name}, a sale opens", url, pid, sale(port, token(), offers[0]))
            print(f"{'':24} {BUYERS} buyers, {SEATS} seats: {outcome.codes[201]} sold in {outcome.seconds:.2f} s")
            exact = outcome.codes == Counter({201: SEATS, 409: BUYERS - SEATS})
            reached &= exact and (alone or outcome.seconds <= TARGET_SALE_SECONDS)
    return reached


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        admin = stack.enter_context(durable_postgres())
        name = f"bench_{new_id().hex[-12:]}"
        asyncio.run(_admin(admin, f'CREATE DATABASE "{name}"'))
        stack.callback(lambda: asyncio.run(_admin(admin, f'DROP DATABASE "{name}" WITH (FORCE)')))
        url = with_database(admin, name)
        upgrade(SERVICE, url)
        asyncio.run(prepare(url))
        reached = play(url, chosen.seconds, chosen.connections)
        print(f"targets: {TARGET:,} holds/s, p99 {TARGET_P99_MS:.0f} ms, sale in {TARGET_SALE_SECONDS:.0f} s: ", end="")
        print("reached" if reached else "NOT reached")
        return 0 if reached else 1


async def _admin(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


if __name__ == "__main__":
    print(json.dumps({"cpus": os.cpu_count(), "load": os.getloadavg()[0]}))
    raise SystemExit(main())
