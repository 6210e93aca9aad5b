"""The busiest day, three times that day, and where the box's limit lies, on the data of 100,000 people.

`python bench/capacity.py [--seconds 45] [--people 100000]`. The busiest day (season 1.6 and a sale 1.7 times the mean,
its busiest hour 3 times the day's mean: the assumptions of `bench/scaling/simulate.py`) is replayed through the gateway
in `--seconds`: rates are real, only the clock is fast, so every hour of the day is as busy as it would be. Requests
come when they are due, whether or not the platform keeps up. In these days writing is offered `WRITES` times as often
as the quarter needs it, so that a minute holds enough of it. Then the busiest hour, as it is needed, is stepped up
until the box no longer keeps up: the headroom. The verifier judges the databases at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop
from bookings import body_of, headers_of
from capacity_data import EVERYBODY, FIRST_DAY, LAST_DAY, QUARTER, ready, settled
from quarter import BY_CARD
from stacked import memory, routes, say
from wire import Seen, Wire

from rihla_local.layout import ROOT
from rihla_local.memory import children
from rihla_local.own_stack import OwnStack
from rihla_local.traveller import PASSWORD, Traveller

HOURS = (4, 3, 2, 2, 3, 5, 9, 14, 20, 24, 25, 24, 22, 22, 23, 24, 26, 30, 38, 52, 63, 45, 22, 9)
"""A day's shape by hour, local evening highest: looked for at home after dinner. Its peak is 3 times its mean."""
SEASON, SALE = 1.6, 1.7
WRITES = 10
"""How much more often than needed people sign in, book and pay while the days are replayed."""
A_BOOKING: Mapping[str, float] = {"search": 1000, "seat map": 4, "sign in": 2, "buy": 1}
"""Requests for each booking of the quarter; `buy` is an offer looked for, booked, paid and read."""
STEPS = (3, 4, 5, 6, 8, 10, 13, 16, 20)
P95_MS = 500.0
"""Beyond this the box does not keep up, whatever it still serves."""


def shape(part: float) -> float:
    """The day's rate at this part of it (0 to 1) over the day's mean, between the hours in a straight line."""
    at = part * 24 - 0.5
    low, mean = int(at // 1), sum(HOURS) / 24
    share = at - low
    return (HOURS[low % 24] * (1 - share) + HOURS[(low + 1) % 24] * share) / mean


def day(mean: float) -> Callable[[float], float]:
    """Bookings a second over the hours of a day with this mean."""
    return lambda part: mean * shape(part)


def steady(rate: float) -> Callable[[float], float]:
    """The same all the time."""
    return lambda _: rate


PEAK = max(HOURS) / (sum(HOURS) / 24)


def busy_mean(people: int) -> float:
    """Bookings a second in the mean of a quarter's busiest day, one booking a person."""
    return people / QUARTER.total_seconds() * SEASON * SALE


@dataclass
class Load:
    """What was offered and what came of it, by deed."""

    offered: int = 0
    late: int = 0
    """Still unanswered when the replay ended."""
    seen: dict[str, Seen] = field(default_factory=dict)
    bookings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def of(self, deed: str) -> Seen:
        return self.seen.setdefault(deed, Seen())

    @property
    def errors(self) -> int:
        """Answers 5xx, and connections closed instead of an answer."""
        return sum(n for one in self.seen.values() for status, n in one.statuses.items() if status >= 500 or not status)

    @property
    def served(self) -> int:
        return sum(one.statuses.total() for one in self.seen.values()) - self.errors

    def p95(self) -> float:
        """Milliseconds, of everything."""
        return Seen(waits=[wait for one in self.seen.values() for wait in one.waits]).wait_ms(0.95)


class Crowd:
    """Who sends the requests: strangers who search and people who are signed in, over connections that are kept."""

    def __init__(self, port: int, places: list[tuple[str, str]], people: list[Traveller], emails: int) -> None:
        self._port, self._places, self._emails = port, places, emails
        self._people, self._free, self._dice = itertools.cycle(people), deque[Wire](), random.Random(8)
        self._flights: deque[str] = deque(maxlen=200)
        self.deeds: Mapping[str, Callable[[Load], Awaitable[None]]] = {
            "search": self.search,
            "seat map": self.seat_map,
            "sign in": self.sign_in,
            "buy": self.buy,
        }

    async def _ask(
        self, load: Load, deed: str, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes]:
        while self._free and self._free[-1].closed:
            self._free.pop()
        wire = self._free.pop() if self._free else await Wire.open(self._port)
        status, answer = await wire.timed(load.of(deed), method, path, body, **headers)
        if status:
            self._free.append(wire)
        return status, answer

    def _search_path(self) -> str:
        rank = min(int(self._dice.expovariate(6 / len(self._places))), len(self._places) - 1)
        origin, destination = self._places[rank]
        day = datetime.now(UTC) + timedelta(days=self._dice.randint(FIRST_DAY, LAST_DAY))
        return f"/v1/flight-offers?origin={origin}&destination={destination}&departure_date={day:%F}&limit=20"

    async def search(self, load: Load) -> None:
        """A stranger looks for a flight."""
        status, answer = await self._ask(load, "search", "GET", self._search_path())
        if status == 200 and len(self._flights) < 200 and (found := json.loads(answer)["items"]):
            self._flights.append(found[0]["slices"][0]["segments"][0]["flight_id"])

    async def seat_map(self, load: Load) -> None:
        """... and at its seats."""
        if self._flights:
            await self._ask(load, "seat map", "GET", f"/v1/flights/{self._dice.choice(self._flights)}/seat-map")

    async def sign_in(self, load: Load) -> None:
        """Somebody of the hundred thousand signs in."""
        email = f"person-{self._dice.randint(1, self._emails)}@example.com"
        await self._ask(load, "sign in", "POST", "/v1/auth/login", credentials(email))

    async def buy(self, load: Load) -> None:
        """Search, book, pay, look at the booking."""
        who = next(self._people)
        status, answer = await self._ask(load, "search", "GET", f"{self._search_path()}&max_stops=0")
        found = json.loads(answer)["items"] if status == 200 else []
        if not found:
            return
        offer = self._dice.choice(found)["id"]
        status, answer = await self._ask(load, "book", "POST", "/v1/bookings", body_of(offer, who), **headers_of(who))
        if status != 201:
            return
        booking = json.loads(answer)["id"]
        load.bookings.append(booking)
        body = json.dumps({"booking_id": booking, "method": BY_CARD}).encode()
        await self._ask(load, "pay", "POST", "/v1/payments", body, **headers_of(who))
        await self._ask(load, "read", "GET", f"/v1/bookings/{booking}", b"", **headers_of(who))

    async def warm(self) -> None:
        """Everything is used once, papers included, so that what is loaded at first use is not taken for growth."""
        load = Load()
        await asyncio.gather(*(self.search(load) for _ in range(100)))
        await asyncio.gather(*(deed(load) for _ in range(4) for deed in self.deeds.values()))

    async def play(self, seconds: float, rate: Callable[[float], float], writes: int) -> Load:
        """Offer each deed at `rate` (bookings needed a second, at a part of the time) for so long; Poisson arrivals."""
        load, under_way = Load(), set[asyncio.Task[None]]()
        began = time.perf_counter()

        async def offer(deed: str, times: float) -> None:
            due = 0.0
            while True:
                due += self._dice.expovariate(max(rate(due / seconds) * times, 1e-3))
                if due >= seconds:
                    return
                await asyncio.sleep(began + due - time.perf_counter())
                load.offered += 1
                task = asyncio.ensure_future(self.deeds[deed](load))
                under_way.add(task)
                task.add_done_callback(under_way.discard)

        await asyncio.gather(
            *(offer(deed, times * (1 if deed == "search" else writes)) for deed, times in A_BOOKING.items())
        )
        await asyncio.sleep(max(0.0, began + seconds - time.perf_counter()))
        load.seconds, load.late = time.perf_counter() - began, len(under_way)
        await asyncio.gather(*under_way)
        return load


def credentials(email: str) -> bytes:
    """What a person of the data set signs in with: all of them know the password of the one they were copied from."""
    return json.dumps({"identifier": email, "password": PASSWORD}).encode()


async def signed_in(stack: Mapping[str, Any], port: int, count: int, emails: int) -> list[Traveller]:
    """Some of the hundred thousand, signed in."""
    wire, found, dice = await Wire.open(port), list[Traveller](), random.Random(9)
    for number in dice.sample(range(1, emails + 1), min(count, emails)):
        who = Traveller(stack["gateway_url"], stack["inbox_url"])
        who.email = f"person-{number}@example.com"
        status, answer = await wire.ask("POST", "/v1/auth/login", credentials(who.email))
        if status != 200:
            raise SystemExit(f"{who.email} cannot sign in: {status} {answer.decode()}")
        who.tokens = json.loads(answer)
        await who.close()
        found.append(who)
    wire.close()
    return found


def cpu_seconds(pids: Mapping[str, int]) -> float:
    """What these processes and their descendants used up to now, ended ones included."""
    ticks = 0
    for pid in pids.values():
        tree = [pid]
        for one in tree:
            tree += children(one)
            try:
                fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def replay(
    name: str, own: OwnStack, crowd: Crowd, seconds: float, rate: Callable[[float], float], writes: int
) -> tuple[Load, float]:
    """Play, and say it in a line; the load and the part of the two cores the platform used."""
    pids = own.pids()
    before, mine = cpu_seconds(pids), time.process_time()
    load = await crowd.play(seconds, rate, writes)
    spare = load.seconds * (os.cpu_count() or 1)
    used, ours = (cpu_seconds(pids) - before) / spare, (time.process_time() - mine) / spare
    print(
        f"{name:18} offered {load.offered / load.seconds:7.1f}/s  answers {load.served / load.seconds:7.1f}/s  "
        f"p95 {load.p95():6.1f} ms  5xx {load.errors}  late {load.late}  "
        f"CPU {used:4.0%} of {os.cpu_count()} cores, the crowd's own {ours:4.0%}",
        flush=True,
    )
    return load, used


def kept_up(load: Load) -> bool:
    """Whether the box did what was asked of it."""
    return load.errors == 0 and load.p95() <= P95_MS and load.late <= 0.02 * load.offered + 5


async def knee(own: OwnStack, crowd: Crowd, mean: float, seconds: float) -> tuple[float, float]:
    """How many times the busiest hour's traffic, as it is needed, the box still does; and the requests a second."""
    reached, rate = 0.0, 0.0
    for times in STEPS:
        load, _ = await replay(f"{times} x busiest hour", own, crowd, seconds, steady(mean * PEAK * times), 1)
        if not kept_up(load):
            break
        reached, rate = float(times), load.served / load.seconds
    return reached, rate


async def play(own: OwnStack, facts: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The day, three days in one, the knee; the figures."""
    stack = own.facts
    port = urlsplit(stack["gateway_url"]).port or 80
    people = await signed_in(stack, port, 64, facts["people"])
    crowd, mean = Crowd(port, await routes(stack), people, facts["people"]), busy_mean(EVERYBODY)
    await crowd.warm()
    await settled(stack)
    print(f"{mean * PEAK:.2f} bookings a second are needed in the busiest hour, {mean * PEAK * 1000:.0f} searches")
    found: dict[str, Any] = {}
    used_memory = [memory(own)]
    for times, label in ((1, "the day"), (3, "three times the day")):
        load, used = await replay(label, own, crowd, seconds, day(mean * times), WRITES)
        found |= {
            f"{label}: offered, a second": round(load.offered / load.seconds, 1),
            f"{label}: p95, ms": round(load.p95(), 1),
            f"{label}: answers 5xx": load.errors,
            f"{label}: bookings made": len(load.bookings),
            f"{label}: CPU, % of the cores": round(used * 100, 1),
            f"{label}: kept up": int(kept_up(load)),
        }
        for deed, one in load.seen.items():
            wait = f"p50 {one.wait_ms(0.5):6.1f} p95 {one.wait_ms(0.95):6.1f} ms"
            print(f"    {deed:9} {one.statuses.total():6}  {wait}  {dict(one.statuses)} {dict(one.codes) or ''}")
        used_memory.append(memory(own))
    reached, rate = await knee(own, crowd, mean, max(3.0, seconds / 8))
    await settled(stack)
    used_memory.append(memory(own))
    print("memory, MB before -> after the day -> after three times the day -> after the limit:")
    for name in sorted(used_memory[0]):
        print(f"    {name:20} " + " -> ".join(str(one.get(name, 0)) for one in used_memory))
    grown = {name: used_memory[2].get(name, 0) - mb for name, mb in used_memory[1].items() if name != "postgres"}
    most = max(grown, key=lambda name: grown[name])
    print(f"headroom: the box does {reached:g} times the busiest hour of the busiest day", flush=True)
    return found | {
        "headroom, times the busiest hour": reached,
        "answers a second there": round(rate, 1),
        "grew most from the day to three times the day": most,
        "by MB": grown[most],
    }


async def judged(own: OwnStack) -> bool:
    """Wait for quiet, let the verifier look."""
    await settled(own.facts)
    sys.path.insert(0, str(ROOT / "tests" / "chaos"))
    from rihla_verifier.__main__ import verify

    return await verify(own.facts["databases"], [])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=45.0, help="of each of the two days")
    parser.add_argument("--people", type=int, default=EVERYBODY)
    chosen = parser.parse_args()
    own, facts = ready(chosen.people)
    try:
        print(f"{facts['people']:,} people with a booking each: {facts['bytes_a_booking']:,} bytes each", flush=True)
        found = uvloop.run(play(own, facts, chosen.seconds))
        sound = asyncio.run(judged(own))
    finally:
        own.down()
    made = {"people, a booking each": facts["people"], "bytes a booking": facts["bytes_a_booking"]}
    say(**made, **{"data set made in, s": facts["seconds"]}, **found, **{"verifier holds": int(sound)})
    return 0 if sound and found["the day: kept up"] and found["three times the day: kept up"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
