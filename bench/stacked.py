"""The stack a bench measures: the one of the run folder BENCH_STACK, or one of its own for as long as it needs it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from rihla_local.layout import ROOT
from rihla_local.memory import proportional_bytes
from rihla_local.own_stack import NO_LIMITS, OwnStack
from rihla_local.traveller import Traveller

FOLDER = ROOT / ".run" / "bench-stack"
QUIET_MACHINE = {"GENERATE_DAYS_AHEAD": "60"}
"""The worker would otherwise go on making flights of the far future beside the measurement."""


@contextmanager
def stack() -> Iterator[OwnStack]:
    """A ready stack. One that was given is left running."""
    given = os.environ.get("BENCH_STACK")
    if given:
        yield OwnStack(Path(given))
        return
    own = OwnStack(FOLDER, {**NO_LIMITS, **QUIET_MACHINE})
    own.down()
    own.launch("reset")
    own.up()
    try:
        yield own
    finally:
        own.down()


def memory(own: OwnStack) -> dict[str, int]:
    """Megabytes (proportional set size) of each process."""
    return {name: round(proportional_bytes(pid) / 1e6) for name, pid in sorted(own.pids().items())}


async def travellers(facts: dict[str, Any], count: int) -> list[Traveller]:
    """People who are signed in."""
    at_once, http = asyncio.Semaphore(8), httpx.AsyncClient(timeout=30)

    async def join() -> Traveller:
        async with at_once:
            one = Traveller(facts["gateway_url"], facts["inbox_url"], http=http)
            await one.sign_up()
            return one

    try:
        return list(await asyncio.gather(*(join() for _ in range(count))))
    finally:
        await http.aclose()


async def routes(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Routes with flights the day after tomorrow, the busiest first."""
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    count: dict[tuple[str, str], int] = {}
    params: dict[str, Any] = {"date": day, "limit": 100}
    async with httpx.AsyncClient(timeout=30) as http:
        while True:
            page = (await http.get(f"{facts['gateway_url']}/v1/flights", params=params)).raise_for_status().json()
            for one in page["items"]:
                if one["airline"] != "ZZ":
                    route = (one["origin"], one["destination"])
                    count[route] = count.get(route, 0) + 1
            if not page["next_cursor"]:
                return sorted(count, key=lambda route: (-count[route], route))
            params["cursor"] = page["next_cursor"]


async def offers(facts: dict[str, Any], wanted: int, days: range = range(5, 45)) -> list[str]:
    """Offers of as many different flights, one segment each."""
    found: dict[str, str] = {}
    places = await routes(facts)
    async with httpx.AsyncClient(timeout=30) as http:
        for ahead in days:
            date = (datetime.now(UTC) + timedelta(days=ahead)).date().isoformat()

            async def look(route: tuple[str, str], date: str = date) -> None:
                params: dict[str, Any] = {"origin": route[0], "destination": route[1], "departure_date": date}
                page = await http.get(
                    f"{facts['gateway_url']}/v1/flight-offers", params={**params, "max_stops": 0, "limit": 50}
                )
                for one in page.raise_for_status().json()["items"]:
                    found.setdefault(one["slices"][0]["segments"][0]["flight_id"], one["id"])

            for at in range(0, len(places), 16):
                await asyncio.gather(*(look(route) for route in places[at : at + 16]))
                if len(found) >= wanted:
                    return list(found.values())[:wanted]
    return list(found.values())


def say(**figures: float | int | str) -> None:
    """The last line of a bench: what `make bench` puts into its report."""
    print("FIGURES " + json.dumps(figures), flush=True)
