"""Travellers arriving at an offered rate, whether or not the platform keeps up."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx

from rihla_chaos import chats, honest, hostile
from rihla_chaos.history import History, Journey
from rihla_chaos.honest import Route, Trip
from rihla_chaos.person import Ended, Person

HONEST: Mapping[str, tuple[int, Callable[[Trip], Awaitable[None]]]] = {
    "flies": (42, honest.flies),
    "wallet": (8, honest.pays_from_the_wallet),
    "cancels": (8, honest.cancels),
    "cancels for one": (6, honest.cancels_for_one),
    "changes": (7, honest.changes),
    "checks in": (8, honest.checks_in),
    "lets it expire": (3, honest.lets_it_expire),
    "another card": (3, honest.tries_another_card),
}
HOSTILE: Mapping[str, tuple[int, Callable[[Trip], Awaitable[None]]]] = {
    "repeats a key": (3, hostile.repeats_a_key),
    "pays twice": (2, hostile.pays_twice),
    "pays at the last moment": (2, hostile.pays_at_the_last_moment),
    "pays after expiry": (1, hostile.pays_after_expiry),
    "cancels twice": (2, hostile.cancels_twice),
    "tampers": (2, hostile.tampers),
    "forges a webhook": (1, hostile.forges_a_webhook),
}
SPECIAL = {
    "looks at others": 2,
    "races for a seat": 2,
    "newcomer": 2,
    "asks support": 6,
    "chats": 6,
    "repeats a message": 2,
}
UNTIL_EXPIRY = frozenset({"lets it expire", "pays at the last moment", "pays after expiry"})
"""Journeys as long as a payment window: none begins in the last half minute, for the quiet would wait for it."""
FULL = frozenset({"flies", "wallet", "newcomer", "another card", "cancels", "changes", "checks in", "cancels for one"})
"""Journeys whose success is a whole journey: searched, booked, paid, confirmed."""
MAIL_SECONDS = 120.0
WINDOW_SECONDS = 30.0


class Crowd:
    """`rate` journeys a second begin, each by a person who is free; every choice of journey n comes from seed and n."""

    def __init__(self, facts: Mapping[str, Any], history: History, *, seed: int, rate: float) -> None:
        self._facts, self._history, self._seed, self._rate = facts, history, seed, rate
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=200)
        self.http = httpx.AsyncClient(timeout=12, limits=limits)
        self._sockets = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=12))
        self._desk = Person("desk", facts, self.http, history)
        self._last_to_wait = 0
        self._free: list[Person] = []
        self._routes: list[Route] = []
        self._conversation: Mapping[str, Any] | None = None
        self._latest: dict[str, tuple[Person, Mapping[str, Any]]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._mails: set[asyncio.Task[None]] = set()

    async def gather(self, people: int) -> None:
        """Sign everybody up, the desk in, and learn which routes are on sale."""
        await self._learn_routes()
        await self._desk.sign_in(self._facts["admin"]["email"], self._facts["admin"]["password"])
        at_once = asyncio.Semaphore(8)

        async def join(number: int) -> None:
            async with at_once:
                person = Person(f"traveller-{number}", self._facts, self.http, self._history)
                await person.join()
                self._free.append(person)

        await asyncio.gather(*(join(number) for number in range(people)))

    async def _learn_routes(self) -> None:
        day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
        url = f"{self._facts['gateway_url']}/v1/flights"
        params: dict[str, Any] = {"date": day, "limit": 100}
        found: set[Route] = set()
        while True:
            page = (await self.http.get(url, params=params)).raise_for_status().json()
            found |= {(one["origin"], one["destination"]) for one in page["items"] if one["airline"] != "ZZ"}
            if not page["next_cursor"] or len(found) > 150:
                break
            params["cursor"] = page["next_cursor"]
        self._routes = sorted(found)

    async def travel(self, seconds: float, until: asyncio.Event) -> None:
        """Begin journeys for so long, and on until `until`; returns when the last one has begun."""
        number, began = 0, time.monotonic()
        self._last_to_wait = int((seconds - WINDOW_SECONDS) * self._rate)
        while (passed := time.monotonic() - began) < seconds or not until.is_set():
            while number < passed * self._rate:
                task = asyncio.create_task(self._one(number))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                number += 1
            await asyncio.sleep(0.02)

    async def finish(self, seconds: float) -> int:
        """Wait for the journeys under way; how many were still unfinished then."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        late = list(self._running)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return len(late)

    async def close(self) -> None:
        for task in list(self._mails):
            task.cancel()
        await self._sockets.close()
        await self.http.aclose()

    async def mails_arrive(self, seconds: float) -> int:
        """Wait for the ticket mails travellers look for; how many never came."""
        if self._mails:
            await asyncio.wait(self._mails, timeout=seconds)
        return len(self._mails)

    async def _one(self, number: int) -> None:
        rng = random.Random(f"{self._seed}:{number}")
        weights = {name: weight for name, (weight, _) in {**HONEST, **HOSTILE}.items()} | SPECIAL
        if number > self._last_to_wait:
            weights |= dict.fromkeys(UNTIL_EXPIRY, 0)
        kind = rng.choices(list(weights), weights=list(weights.values()))[0]
        honest_one = kind in HONEST or kind in chats.CHATS or kind == "newcomer"
        journey = Journey(kind, honest_one, self._history.now)
        self._history.journeys.append(journey)
        who = self._free.pop(rng.randrange(len(self._free))) if self._free else None
        if who is None:
            journey.outcome, journey.ended = "nobody was free", self._history.now
            return
        trip = Trip(who, self._routes, rng, journey)
        try:
            await self._play(kind, trip, number)
            journey.outcome = "done"
        except Ended as reason:
            journey.outcome = str(reason)
        except httpx.HTTPError as error:
            journey.outcome = type(error).__name__
        except asyncio.CancelledError:
            journey.outcome = "unfinished"
            raise
        finally:
            journey.ended = self._history.now
            self._free.append(who)

    async def _play(self, kind: str, trip: Trip, number: int) -> None:
        if kind == "newcomer":
            trip.who = Person(f"newcomer-{number}", self._facts, self.http, self._history)
            await trip.who.join()
            await honest.flies(trip)
        elif kind == "races for a seat":
            rivals = [self._free.pop() for _ in range(min(3, len(self._free)))]
            try:
                await hostile.races_for_a_seat(trip, rivals)
            finally:
                self._free += rivals
        elif kind == "looks at others":
            others = [one for name, (owner, one) in self._latest.items() if owner is not trip.who]
            await hostile.looks_at_others(trip, others[-1] if others else None)
        elif kind == "asks support":
            self._conversation = await chats.asks_support(trip, self._desk)
        elif kind == "chats":
            await chats.chats(trip, self._sockets)
        elif kind == "repeats a message":
            await chats.repeats_a_message(trip, self._conversation)
        elif kind == "flies":
            booking = await honest.bought(trip, trip.rng.choice((1, 1, 1, 2)))
            self._latest[trip.who.name] = (trip.who, booking)
            self._await_mail(trip.who, booking, trip.journey)
        else:
            await (HONEST.get(kind) or HOSTILE[kind])[1](trip)

    def _await_mail(self, who: Person, booking: Mapping[str, Any], journey: Journey) -> None:
        async def look() -> None:
            deadline = time.monotonic() + MAIL_SECONDS
            while time.monotonic() < deadline:
                try:
                    mails = await who.mails()
                except Exception:  # the inbox is one of the things that die here
                    mails = []
                for mail in mails:
                    pdf = any(one["type"] == "application/pdf" for one in mail["attachments"])
                    if pdf and booking["reference"] in mail["subject"]:
                        journey.mailed_at = self._history.now
                        return
                await asyncio.sleep(1.0)

        task = asyncio.create_task(look())
        self._mails.add(task)
        task.add_done_callback(self._mails.discard)
