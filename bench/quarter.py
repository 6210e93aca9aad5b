"""A quarter's business of an airline at once: bookings placed, paid by card and confirmed, minute by minute.

`python bench/quarter.py [--bookings 100000] [--buyers 96] [--people 400] [--behind 60]`. Each of the `buyers` keeps one
connection to the gateway and books and pays one ticket after the other, each time for the next of the people. Counted
is until the last booking that was paid is confirmed. Then the pace is measured at which papers and mails follow.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from bookings import PEOPLE, body_of, headers_of
from cpu_split import cpu_seconds, say_split
from stacked import memory, offers, say, stack, travellers
from wire import Seen, Wire

from rihla_local.traveller import CARD, GOOD, Traveller

TARGET_MINUTES = 12
BUYERS = 96
FLIGHTS = 2400
BY_CARD = {"type": "card", "provider": "sandbox", "card": {**CARD, "number": GOOD}}
_RENEW_SECONDS = 240
"""Sign-ins last ten minutes and offers twenty: both are renewed in time."""


@dataclass
class Shop:
    """Who buys what, and what came of it."""

    facts: dict[str, Any]
    people: list[Traveller]
    offers: list[str]
    booked: Seen = field(default_factory=Seen)
    paid: Seen = field(default_factory=Seen)
    ids: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    async def stay_open(self) -> None:
        """Keep everybody signed in and the offers fresh."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            self.offers = await offers(self.facts, FLIGHTS)
            await renew(self.facts, self.people)

    async def sell(self, wanted: int, buyers: int) -> None:
        """`wanted` tickets, or as many as can be had."""
        port = urlsplit(self.facts["gateway_url"]).port or 80
        left, whose, what = iter(range(wanted)), itertools.cycle(self.people), itertools.count()

        async def buy() -> None:
            wire = await Wire.open(port)
            for _ in left:
                await self._buy_one(wire, next(whose), self.offers[next(what) % len(self.offers)])
            wire.close()

        await asyncio.gather(*(buy() for _ in range(buyers)))

    async def _buy_one(self, wire: Wire, who: Traveller, offer: str) -> None:
        status, answer = await wire.timed(self.booked, "POST", "/v1/bookings", body_of(offer, who), **headers_of(who))
        if status != 201:
            return
        booking = json.loads(answer)["id"]
        body = json.dumps({"booking_id": booking, "method": BY_CARD}).encode()
        status, answer = await wire.timed(self.paid, "POST", "/v1/payments", body, **headers_of(who))
        payment = json.loads(answer or b"{}")
        self.outcomes[str(payment.get("status", status))] += 1
        if status == 201 and payment["status"] == "succeeded":
            self.ids.append(booking)


async def renew(facts: dict[str, Any], people: list[Traveller]) -> None:
    """Fresh access tokens."""
    wire = await Wire.open(urlsplit(facts["gateway_url"]).port or 80)
    for who in people:
        body = json.dumps({"refresh_token": who.tokens["refresh_token"]}).encode()
        status, answer = await wire.ask("POST", "/v1/auth/refresh", body)
        if status == 200:
            who.tokens = json.loads(answer)
    wire.close()


@dataclass
class Watch:
    """What is seen from outside: bookings confirmed by each full minute and in all, memory at each quarter."""

    own: Any
    shop: Shop
    wanted: int
    by_minute: list[int] = field(default_factory=list)
    in_all: int = 0
    memories: list[dict[str, int]] = field(default_factory=list)

    async def look(self) -> None:
        """Until cancelled."""
        began = time.perf_counter()
        while True:
            await asyncio.sleep(0.2)
            if len(self.memories) <= 4 * len(self.shop.ids) / self.wanted < 4:
                self.memories.append(await asyncio.to_thread(memory, self.own))
            if time.perf_counter() - began >= 60 * (len(self.by_minute) + 1):
                self.by_minute.append(await confirmed(self.shop))


@asynccontextmanager
async def meanwhile(*tasks: Any) -> AsyncIterator[None]:
    """Run them in the background of the block."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        for error in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(error, Exception):
                raise error


async def confirmed(shop: Shop) -> int:
    """How many of the bookings that were paid are confirmed."""
    connection = await asyncpg.connect(shop.facts["databases"]["booking"])
    query = "SELECT count(*) FROM booking WHERE id = ANY($1::uuid[]) AND state = 'confirmed'"
    try:
        return int(await connection.fetchval(query, shop.ids))
    finally:
        await connection.close()


async def until_confirmed(shop: Shop, patience: float) -> int:
    """How many of the paid bookings are confirmed, once all are or patience is over."""
    deadline, found = time.perf_counter() + patience, 0
    while found < len(shop.ids) and time.perf_counter() < deadline:
        await asyncio.sleep(0.2)
        found = await confirmed(shop)
    return found


async def following(facts: dict[str, Any], seconds: float) -> tuple[float, int]:
    """Papers made a second, once the rush is over, and bookings whose papers are still to come."""
    connection = await asyncpg.connect(facts["databases"]["booking"])
    query = "SELECT count(*) FROM document_job WHERE state IN ('queued', 'working')"
    try:
        before, began = int(await connection.fetchval(query)), time.perf_counter()
        left = before
        while left and time.perf_counter() - began < seconds:
            await asyncio.sleep(0.5)
            left = int(await connection.fetchval(query))
        return (before - left) / (time.perf_counter() - began), left
    finally:
        await connection.close()


async def sell_all(own: Any, people: list[Traveller], found: list[str], wanted: int, buyers: int) -> Watch:
    """Sell, wait until all is confirmed, say what it cost."""
    shop = Shop(own.facts, people, found)
    watch = Watch(own, shop, wanted)
    used, began = cpu_seconds(own), time.perf_counter()
    async with meanwhile(shop.stay_open(), watch.look()):
        await shop.sell(wanted, buyers)
        there = await until_confirmed(shop, 300)
    shop.booked.seconds = time.perf_counter() - began
    watch.memories.append(memory(own))
    watch.in_all = there
    say_split("each, placed, paid and confirmed", used, cpu_seconds(own), there)
    return watch


def figures_of(watch: Watch) -> dict[str, float | int | str]:
    """What the report keeps."""
    shop, there, took = watch.shop, watch.in_all, watch.shop.booked.seconds
    figures: dict[str, float | int | str] = {
        "bookings placed, paid and confirmed": there,
        "paid and not confirmed": len(shop.ids) - there,
        "confirmed, a second": round(there / took, 1),
        "minutes they took": round(took / 60, 2),
        "minutes for 100,000 at this pace": round(100_000 / max(there / took, 0.01) / 60, 1),
        "booking, p95 ms": round(shop.booked.wait_ms(0.95)),
        "paying, p95 ms": round(shop.paid.wait_ms(0.95)),
        "errors 5xx": sum(number for seen in (shop.booked, shop.paid) for status, number in seen.statuses.items()
                          if status >= 500 or status == 0),
    }  # fmt: skip
    minutes = list(itertools.pairwise([0, *watch.by_minute]))
    figures |= {f"minute {at}, a second": round((b - a) / 60, 1) for at, (a, b) in enumerate(minutes, 1)}
    # From the first quarter on: what is loaded at first use is loaded then. PostgreSQL's grows with its data.
    first, last = watch.memories[min(1, len(watch.memories) - 1)], watch.memories[-1]
    grown = {name: mb - first.get(name, 0) for name, mb in last.items() if name != "postgres"}
    most = max(grown, key=lambda name: grown[name])
    return figures | {"memory that grew most, MB": grown[most], "memory that grew most": most}


def tell(watch: Watch) -> None:
    """What a reader wants beside the figures."""
    shop = watch.shop
    print(f"payments as answered: {dict(shop.outcomes)}; refused: {dict(shop.booked.codes + shop.paid.codes)}")
    print("memory of each process, MB, at each quarter and at the end:")
    for name in watch.memories[-1]:
        print(f"  {name:20} {' '.join(f'{one.get(name, 0):5}' for one in watch.memories)}")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--bookings", type=int, default=100_000)
    parser.add_argument("--buyers", type=int, default=BUYERS)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--behind", type=float, default=60.0, help="seconds for which papers are watched afterwards")
    chosen = parser.parse_args()
    with stack() as own:
        people = asyncio.run(travellers(own.facts, chosen.people))
        found = asyncio.run(offers(own.facts, FLIGHTS))
        print(f"{len(people)} people, {len(found)} flights, {chosen.buyers} connections", flush=True)
        watch = uvloop.run(sell_all(own, people, found, chosen.bookings, chosen.buyers))
        figures = figures_of(watch)
        tell(watch)
        pace, left = asyncio.run(following(own.facts, chosen.behind))
    figures |= {"papers that follow, bookings a second": round(pace, 1), "bookings whose papers wait": left}
    say(**figures)
    minutes = float(figures["minutes for 100,000 at this pace"])
    reached = minutes < TARGET_MINUTES and not figures["paid and not confirmed"] and not figures["errors 5xx"]
    print(f"{minutes} minutes for 100,000 (target {TARGET_MINUTES}): {'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
