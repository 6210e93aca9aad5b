"""100,000 people and a quarter's 100,000 bookings in the databases of a stack of its own, true to the verifier.

`python bench/capacity_data.py [--people 100000]`, also part of `make bench-data`. Some dozens of people travel for
real, through the gateway: alone, in twos, and some cancel. Then each of them is copied (`multiplied.py`) onto other
days of the flight, with a booking made on some day of the last quarter. Seats of a flight are never oversold: as many
copies are made as fit. The stack's folder `.run/capacity` is kept; the data of another day are made anew, because
flights lie ahead of the day they were made on. Not copied: documents' bytes, and what is deleted after days anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from multiplied import (
    COPY_COLUMNS,
    COPY_TABLE,
    DROP_COPY_TABLE,
    Original,
    belongings,
    insertion,
    reference,
    tables,
)
from stacked import QUIET_MACHINE, routes

from flight_service.catalogue.layout import read_layout
from rihla.testing.databases import with_database
from rihla_local.layout import ROOT
from rihla_local.own_stack import NO_LIMITS, OwnStack
from rihla_local.traveller import Traveller, adult

EVERYBODY = 100_000
QUARTER = timedelta(days=91)
ORIGINALS = 48
FIRST_DAY, LAST_DAY = 5, 55
"""Days ahead that are sold: reminders for the next days' flights would only be in the way."""
SEATS_USED = 0.75
"""The part of a cabin that copies may take; the rest is for the traffic that comes after."""
SERVICES = ("auth", "flight", "booking", "payment", "notification", "sandbox")


def made_today(note: Path) -> dict[str, Any] | None:
    """What is known of the data, when they were made today."""
    facts: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
    return facts if facts.get("day") == f"{datetime.now(UTC):%F}" else None


def ready(people: int) -> tuple[OwnStack, dict[str, Any]]:
    """The stack with its data, running."""
    name = "capacity" if people == EVERYBODY else f"capacity-{people}"
    own = OwnStack(ROOT / ".run" / name, {**NO_LIMITS, **QUIET_MACHINE})
    note = own.folder / "capacity.json"
    facts = made_today(note)
    if facts is None:
        own.down()
        own.launch("reset")
        note.unlink(missing_ok=True)
        own.up()
        facts = asyncio.run(make(own, people))
        own.down()
        note.write_text(json.dumps(facts))
    own.up()
    return own, facts


async def make(own: OwnStack, people: int) -> dict[str, Any]:
    """Travel, wait until nothing is under way, copy; facts of the data set."""
    began = time.perf_counter()
    stack = own.facts
    originals = await travel(stack, min(ORIGINALS, max(6, people // 50)))
    await settled(stack)
    print(f"  {len(originals)} people travelled for real: {time.perf_counter() - began:.1f} s", flush=True)
    before = await sizes(stack)
    copies = await plan(stack, originals, people)
    print(f"  {len(copies):,} copies on {len({copy[5] for copy in copies}):,} flights", flush=True)
    steps: list[tuple[str, list[str]]] = []
    known: dict[str, tuple[Any, list[list[Any]]]] = {}
    for _ in range(2):  # ids learnt in one database lead to rows in another
        for service in SERVICES:
            async with opened(stack, service) as connection:
                shape = await tables(connection)
                known[service] = shape, [await belongings(connection, shape, one) for one in originals]
    for service, (shape, rows) in known.items():
        statements = [
            insertion(shape, row, one, number)
            for number, one in enumerate(originals)
            for row in sorted(rows[number], key=lambda row: row[0])
        ]
        steps.append((service, statements))
    await asyncio.gather(*(copy_all(stack, service, statements, copies) for service, statements in steps))
    await settled(stack)
    after = await sizes(stack)
    total = sum(after.values()) - sum(before.values())
    print(f"  {total / 1e9:.2f} GB, {total / max(1, len(copies)):,.0f} bytes a person with a booking", flush=True)
    return {
        "day": f"{datetime.now(UTC):%F}",
        "asked": people,
        "people": len(copies),
        "bytes_a_booking": round(total / max(1, len(copies))),
        "bytes": {name: after[name] - before[name] for name in after},
        "seconds": round(time.perf_counter() - began, 1),
    }


@asynccontextmanager
async def opened(stack: dict[str, Any], service: str) -> AsyncIterator[Any]:
    """The service's database, as superuser: guards of single rows are off while whole truths are copied."""
    connection = await asyncpg.connect(with_database(stack["database_admin_url"], service))
    try:
        yield connection
    finally:
        await connection.close()


# ---- those who travel for real


async def travel(stack: dict[str, Any], count: int) -> list[Original]:
    """`count` people, each with a booking on another route."""
    places = (await routes(stack))[: count * 2]
    at_once, found = asyncio.Semaphore(4), list[Original]()
    async with httpx.AsyncClient(timeout=60) as http:

        async def one(number: int) -> None:
            async with at_once:
                who = Traveller(stack["gateway_url"], stack["inbox_url"], http=http)
                await who.sign_up()
                offer = await offer_on(who, places[number % len(places)], 2 if number % 4 == 1 else 1)
                if offer is not None:
                    found.append(await journey(who, offer, number))

        for start in range(0, count * 2, count):
            await asyncio.gather(*(one(number) for number in range(start, start + count - len(found))))
            if len(found) >= count:
                break
    return found


async def offer_on(who: Traveller, route: tuple[str, str], adults: int) -> dict[str, Any] | None:
    """An economy offer without a stop."""
    for ahead in range(20, 24):
        offers = await who.search(*route, ahead, max_stops=0, limit=20, adults=adults)
        if offers:
            return offers[0]
    return None


async def journey(who: Traveller, offer: dict[str, Any], number: int) -> Original:
    """Book and pay; every fourth for two, every eighth cancels in the end."""
    two = [adult(), adult("Karim", passport={**adult()["passport"], "number": "BX7654321"})]
    booking = await who.book(offer, passengers=two if number % 4 == 1 else two[:1])
    await who.pay(booking)
    booking = await who.wait_until(booking, "confirmed", timeout=60)
    if number % 8 == 7:
        path = f"/v1/bookings/{booking['id']}"
        quote = await who.expect(
            "quote", "POST", f"{path}/cancellation-quotes", status=201, json={"scope": "all"}, headers=key()
        )
        body = {"quote_id": quote["id"]}
        await who.expect("cancel", "POST", f"{path}/cancellations", status=201, json=body, headers=key())
        booking = await who.wait_until(booking, "cancelled", timeout=60)
    segment = booking["slices"][0]["segments"][0]
    person = await who.expect("profile", "GET", "/v1/me")
    return Original(
        user_id=UUID(person["id"]),
        email=who.email,
        reference=booking["reference"],
        flight_id=UUID(segment["flight_id"]),
        departs=datetime.fromisoformat(segment["departure_at"]),
        arrives=datetime.fromisoformat(segment["arrival_at"]),
        departure_text=segment["departure_at"],
        arrival_text=segment["arrival_at"],
        ids={UUID(person["id"])},
    )


def key() -> dict[str, str]:
    """A key nobody used."""
    return {"idempotency-key": secrets.token_hex(12)}


async def settled(stack: dict[str, Any], seconds: float = 300) -> None:
    """Wait until no service has anything under way, as the chaos run does before it judges."""
    sys.path.insert(0, str(ROOT / "tests" / "chaos"))
    from rihla_chaos.quiet import grow_quiet

    _, left = await grow_quiet(stack["databases"], seconds)
    if left:
        raise SystemExit(f"still under way after {seconds:.0f} s: {left}")


# ---- their copies


async def plan(stack: dict[str, Any], originals: Sequence[Original], people: int) -> list[tuple[Any, ...]]:
    """A line of `bench_copy` for each copy: which original, which flight, when it was booked."""
    now, dice = datetime.now(UTC), random.Random(20_261_121)
    async with opened(stack, "flight") as connection:
        rooms = [await days_of(connection, one, now) for one in originals]
    places = [(number, *day) for number, room in enumerate(rooms) for day in room]
    if len(places) < people:
        raise SystemExit(f"{people} bookings do not fit on the originals' flights: there is room for {len(places)}")
    dice.shuffle(places)
    lines: list[tuple[Any, ...]] = []
    for n, (number, flight, departs, arrives, *texts, seats) in enumerate(places[:people], start=1):
        one = originals[number]
        booked = now - QUARTER * (people - n + 1) / people
        head = f"{int(booked.timestamp() * 1000):012x}"
        head = f"{head[:8]}-{head[8:]}-"
        email = f"person-{n}@example.com"
        line = (n, number, head, email, reference(n), flight, departs, arrives, *texts, seats)
        lines.append((*line, booked - now, departs - one.departs))
    return lines


async def days_of(connection: Any, one: Original, now: datetime) -> list[tuple[Any, ...]]:
    """The original's flight on every day that is sold, once for each booking that fits into its economy cabin."""
    mine = await connection.fetch("SELECT designator FROM hold_seat WHERE flight_id = $1 ORDER BY 1", one.flight_id)
    one.seats = [row["designator"] for row in mine if row["designator"]]
    rows = await connection.fetch(
        "SELECT f.id, f.departure_at, f.arrival_at, f.departure_offset, f.arrival_offset, c.capacity, a.layout, "
        "array(SELECT designator FROM hold_seat s WHERE s.flight_id = f.id AND s.state IN ('held', 'sold')) AS taken "
        "FROM flight f JOIN flight o ON o.schedule_id = f.schedule_id AND o.aircraft = f.aircraft "
        "JOIN aircraft_type a ON a.code = f.aircraft "
        "JOIN cabin_inventory c ON c.flight_id = f.id AND c.cabin = 'economy' "
        "WHERE o.id = $1 AND f.id <> o.id AND f.departure_at BETWEEN $2 AND $3",
        one.flight_id,
        now + timedelta(days=FIRST_DAY),
        now + timedelta(days=LAST_DAY),
    )
    found: list[tuple[Any, ...]] = []
    for row in rows:
        texts = [
            local_text(row["departure_at"], row["departure_offset"]),
            local_text(row["arrival_at"], row["arrival_offset"]),
        ]
        layout = read_layout(json.loads(row["layout"])).cabins["economy"]
        seats = [seat.designator for seat in layout.seats.values() if not seat.blocked]
        free = [seat for seat in seats if seat not in row["taken"]][: int(row["capacity"] * SEATS_USED)]
        party = max(1, len(one.seats))
        found += [
            (row["id"], row["departure_at"], row["arrival_at"], *texts, free[at : at + party])
            for at in range(0, len(free) - party + 1, party)
        ]
    return found


def local_text(instant: datetime, offset_minutes: int) -> str:
    """As the services write a local time: with the airport's offset."""
    sign, minutes = ("-", -offset_minutes) if offset_minutes < 0 else ("+", offset_minutes)
    local = instant + timedelta(minutes=offset_minutes)
    return f"{local:%Y-%m-%dT%H:%M:%S}{sign}{minutes // 60:02}:{minutes % 60:02}"


async def copy_all(
    stack: dict[str, Any], service: str, statements: Sequence[str], copies: Sequence[tuple[Any, ...]]
) -> None:
    """Every row's copies in one database, one statement for each row; then what hangs together with others."""
    began, said, made = time.perf_counter(), time.perf_counter(), 0
    async with opened(stack, service) as connection:
        await connection.execute(DROP_COPY_TABLE)
        await connection.execute(COPY_TABLE)
        try:
            await connection.copy_records_to_table(
                "bench_copy", records=copies, columns=list(COPY_COLUMNS), timeout=300
            )
            await connection.execute("CREATE INDEX ON bench_copy (original, n); ANALYZE bench_copy")
            await connection.execute("SET session_replication_role = replica; SET work_mem = '64MB'")
            for done, statement in enumerate(statements, start=1):
                result = await connection.execute(statement, timeout=300)
                made += int(result.rsplit(" ", 1)[-1])
                if time.perf_counter() - said > 5:
                    said = time.perf_counter()
                    print(f"  {service}: {done / len(statements):.0%}, {made:,} rows", flush=True)
            await connection.execute("SET session_replication_role = origin")
            await tie(connection, service)
        finally:
            await connection.execute(DROP_COPY_TABLE)
        await connection.execute("VACUUM ANALYZE", timeout=300)
    print(f"  {service}: {made:,} rows in {time.perf_counter() - began:.1f} s", flush=True)


async def tie(connection: Any, service: str) -> None:
    """Cabins count their seats; the sealer gets the postings to seal."""
    if service == "flight":
        await connection.execute(
            "UPDATE cabin_inventory c SET sold_seats = s.sold, free_seats = capacity - held_seats - s.sold, "
            "version = version + 1 FROM (SELECT flight_id, cabin, count(*) AS sold FROM hold_seat "
            "WHERE state = 'sold' GROUP BY 1, 2) s WHERE c.flight_id = s.flight_id AND c.cabin = s.cabin "
            "AND c.sold_seats <> s.sold",
            timeout=300,
        )
    if service == "payment":
        await connection.execute(
            "INSERT INTO ledger_unsealed (posting_id) SELECT id FROM ledger_posting p WHERE NOT EXISTS "
            "(SELECT 1 FROM ledger_link l WHERE l.posting_id = p.id) ORDER BY id ON CONFLICT DO NOTHING",
            timeout=300,
        )


async def sizes(stack: dict[str, Any]) -> dict[str, int]:
    """Bytes of each database's tables with their indexes."""
    found: dict[str, int] = {}
    for service in SERVICES:
        async with opened(stack, service) as connection:
            found[service] = await connection.fetchval(
                "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = 'public'::regnamespace"
            )
    return found


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=EVERYBODY)
    chosen = parser.parse_args()
    own, facts = ready(chosen.people)
    own.down()
    print(f"{facts['people']:,} people with a booking each, made in {facts['seconds']:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
