"""Whole journeys through the gateway: register, verify, search, seat map, book, pay, confirmed, ticket by mail.

`python bench/journeys.py [--seconds 60] [--travellers 16]`: so many people travel one journey after the other,
each with a fresh account. From the databases' own clocks it then says how long it took from a payment's success to the
confirmed booking and to the mail that was handed to the mail server.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg
import httpx
from httpx_aiohttp import AiohttpTransport
from stacked import routes, say, stack

from rihla_local.traveller import NotInTime, Refused, Traveller

T = TypeVar("T")


@dataclass
class Log:
    """Seconds of each step, and what went wrong."""

    steps: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    errors_5xx: int = 0
    done: int = 0
    bookings: list[str] = field(default_factory=list)

    async def step(self, name: str, work: Awaitable[T]) -> T:
        began = time.perf_counter()
        try:
            return await work
        finally:
            self.steps.setdefault(name, []).append(time.perf_counter() - began)

    def count(self, response: httpx.Response) -> None:
        self.errors_5xx += response.status_code >= 500


def at(values: list[float], share: float) -> float:
    """The value that this share does not exceed; 0 of none."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else 0.0


async def journey(who: Traveller, places: list[tuple[str, str]], log: Log) -> None:
    """From a stranger to a confirmed passenger."""
    await log.step("sign up", who.sign_up())
    found: list[dict[str, Any]] = []
    while not found:
        origin, destination = random.choice(places)
        found = await log.step("search", who.search(origin, destination, random.randint(3, 50), limit=20))
    offer = random.choice(found)
    flight = offer["slices"][0]["segments"][0]["flight_id"]
    await log.step("seat map", who.expect("seat map", "GET", f"/v1/flights/{flight}/seat-map"))
    booking = await log.step("book", who.book(offer))
    payment = await log.step("pay", who.pay(booking))
    if payment["status"] == "failed":
        raise NotInTime("a good card was declined")
    await log.step("confirmed", who.wait_until(booking, "confirmed", timeout=30))
    log.bookings.append(booking["id"])
    log.done += 1


async def travel(facts: dict[str, Any], people: int, seconds: float) -> tuple[Log, float]:
    """Everybody travels until the time is over; the log and the seconds it really took."""
    log, places = Log(), await routes(facts)
    began = time.perf_counter()

    async def one() -> None:
        async def note(response: httpx.Response) -> None:
            log.count(response)

        async with httpx.AsyncClient(
            transport=AiohttpTransport(), timeout=30, event_hooks={"response": [note]}
        ) as client:
            while time.perf_counter() - began < seconds:
                who = Traveller(facts["gateway_url"], facts["inbox_url"], http=client)
                try:
                    await log.step("journey", journey(who, places, log))
                except (Refused, NotInTime, httpx.HTTPError) as problem:
                    log.wrong[f"{type(problem).__name__} {problem}"[:100]] += 1

    await asyncio.gather(*(one() for _ in range(people)))
    return log, time.perf_counter() - began


_PAID = (
    "SELECT booking_id AS id, succeeded_at AS at FROM payment "
    "WHERE booking_id = ANY($1::uuid[]) AND status = 'succeeded'"
)
_CONFIRMED = "SELECT id, confirmed_at AS at FROM booking WHERE id = ANY($1::uuid[])"
_MAILED = (
    "SELECT n.booking_id AS id, d.sent_at AS at FROM notice n JOIN delivery d ON d.notice_id = n.id "
    "WHERE d.channel = 'email' AND n.kind = 'booking_confirmed' AND d.sent_at IS NOT NULL "
    "AND n.booking_id = ANY($1::uuid[])"
)


async def instants(url: str, query: str, bookings: list[str]) -> dict[Any, Any]:
    """Booking -> when it happened."""
    connection = await asyncpg.connect(url)
    try:
        return {row["id"]: row["at"] for row in await connection.fetch(query, bookings)}
    finally:
        await connection.close()


async def delays(facts: dict[str, Any], bookings: list[str], mail_seconds: float) -> tuple[list[float], list[float]]:
    """Seconds from a payment's success to the confirmation, and to the mail, by the services' own clocks."""
    urls = facts["databases"]
    paid = await instants(urls["payment"], _PAID, bookings)
    confirmed = await instants(urls["booking"], _CONFIRMED, bookings)
    deadline = time.monotonic() + mail_seconds
    mailed = await instants(urls["notification"], _MAILED, bookings)
    while len(mailed) < len(confirmed) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        mailed = await instants(urls["notification"], _MAILED, bookings)

    def since(what: dict[Any, Any]) -> list[float]:
        return [(when - paid[booking]).total_seconds() for booking, when in what.items() if booking in paid]

    return since(confirmed), since(mailed)


async def play(facts: dict[str, Any], people: int, seconds: float) -> bool:
    """Travel, print, and say whether it was without an error."""
    await travel(facts, people, min(3.0, seconds))  # warm
    log, took = await travel(facts, people, seconds)
    for name, values in log.steps.items():
        print(f"{name:10} {len(values):6}  p50 {at(values, 0.5) * 1e3:7.0f} ms  p95 {at(values, 0.95) * 1e3:7.0f} ms")
    confirmed, mailed = await delays(facts, log.bookings, 120)
    print(f"{log.done} journeys in {took:.1f} s: {log.done / took:.1f} a second; {log.errors_5xx} answers 5xx")
    for name, values in (("confirmed", confirmed), ("mail", mailed)):
        half, most = at(values, 0.5), at(values, 0.95)
        print(f"payment accepted -> {name:9}  p50 {half:6.3f} s  p95 {most:6.3f} s  ({len(values)})")
    for text, count in log.wrong.most_common(5):
        print(f"  {count} x {text}")
    say(
        travellers=people,
        journeys_per_second=round(log.done / took, 2),
        errors_5xx=log.errors_5xx,
        failed_journeys=log.wrong.total(),
        journey_p50_ms=round(at(log.steps.get("journey", []), 0.5) * 1e3),
        journey_p95_ms=round(at(log.steps.get("journey", []), 0.95) * 1e3),
        confirmed_p95_ms=round(at(confirmed, 0.95) * 1e3),
        mail_p95_s=round(at(mailed, 0.95), 2),
        mails_missing=len(confirmed) - len(mailed),
    )
    return log.errors_5xx == 0 and not log.wrong


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--travellers", type=int, default=16)
    chosen = parser.parse_args()
    with stack() as own:
        return 0 if asyncio.run(play(own.facts, chosen.travellers, chosen.seconds)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
