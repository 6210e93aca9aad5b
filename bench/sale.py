"""A sale opens: two thousand people book the last seats of one flight through the gateway, all at once.

`python bench/sale.py [--buyers 2000] [--seats 180]` against the stack of BENCH_STACK or one of its own. Each buyer is
somebody else, with a connection and a token of their own (signed with the stack's own key: two thousand registrations
would measure something else). Exactly as many as there are seats are served; everybody else is refused by 409 or 429.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import uvloop
from stacked import offers, say, stack
from wire import Seen, Wire

from rihla.auth import TokenSigner
from rihla.kernel import new_id
from rihla_local.traveller import adult

TARGET_SECONDS = 8.0


def tokens(folder: Path, issuer: str, count: int) -> list[str]:
    """Access tokens of so many people nobody has heard of."""
    secrets = json.loads((folder / "secrets.json").read_text())["variables"]
    keys = json.loads(secrets["ACCESS_TOKEN_KEYS"])
    newest = (keys["keys"] if isinstance(keys, dict) and "keys" in keys else [keys])[0]
    signer, now = TokenSigner(json.dumps(newest)), int(time.time())
    claims = {"iss": issuer, "aud": "rihla", "roles": ["traveller"], "iat": now, "exp": now + 600}
    return [
        signer.sign({**claims, "sub": str(new_id()), "sid": str(new_id())}, token_type="at+jwt") for _ in range(count)
    ]


async def put_on_sale(url: str, offer_flights: list[str], seats: int) -> None:
    """Give the flights exactly so many seats in economy. Their cabins' seat maps are left as they are."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "UPDATE cabin_inventory SET capacity = $2::int + sold_seats + held_seats, free_seats = $2::int, "
        "version = version + 1 WHERE cabin = 'economy' AND flight_id = ANY ($1::uuid[])",
        offer_flights,
        seats,
    )
    await connection.close()


async def buy(port: int, offer: str, people: list[str]) -> Seen:
    """Everybody at once, each on a connection that is open already."""
    seen = Seen()
    wires = []
    for at in range(0, len(people), 100):
        wires += await asyncio.gather(*(Wire.open(port) for _ in people[at : at + 100]))

    async def one(wire: Wire, token: str) -> None:
        contact = {"email": "buyer@example.com", "phone": "+8801712345678"}
        body = json.dumps({"offer_id": offer, "contact": contact, "passengers": [adult()]}).encode()
        headers = {"authorization": f"Bearer {token}", "idempotency_key": os.urandom(12).hex()}
        await wire.timed(seen, "POST", "/v1/bookings", body, **headers)

    began = time.perf_counter()
    await asyncio.gather(*(one(wire, token) for wire, token in zip(wires, people, strict=True)))
    seen.seconds = time.perf_counter() - began
    for wire in wires:
        wire.close()
    return seen


async def play(own: Any, buyers: int, seats: int) -> bool:
    """Sell, print, count in the database; whether it was exact, clean and quick."""
    facts = own.facts
    port = urlsplit(facts["gateway_url"]).port or 80
    (offer,) = await offers(facts, 1)
    opened = await _segments(facts, offer)
    await put_on_sale(facts["databases"]["flight"], opened, seats)
    seen = await buy(port, offer, tokens(own.folder, facts["gateway_url"], buyers))
    connection = await asyncpg.connect(facts["databases"]["flight"])
    left = await connection.fetchval(
        "SELECT min(free_seats) FROM cabin_inventory WHERE cabin = 'economy' AND flight_id = ANY ($1::uuid[])", opened
    )
    await connection.close()
    sold, clean = seen.statuses[201], all(status in (201, 409, 429) for status in seen.statuses)
    print(f"{buyers} buyers, {seats} seats: {sold} sold, {left} left, in {seen.seconds:.2f} s; {dict(seen.statuses)}")
    print(f"  refusals: {dict(seen.codes)}; p50 {seen.wait_ms(0.5):.0f}  p99 {seen.wait_ms(0.99):.0f} ms")
    say(
        buyers=buyers,
        seats=seats,
        sold=sold,
        left=left,
        clean_refusals=int(clean),
        seconds=round(seen.seconds, 2),
        p50_ms=round(seen.wait_ms(0.5)),
        p99_ms=round(seen.wait_ms(0.99)),
    )
    return sold == seats and left == 0 and clean and seen.seconds <= TARGET_SECONDS


async def _segments(facts: dict[str, Any], offer: str) -> list[str]:
    """The flights of an offer."""
    wire = await Wire.open(urlsplit(facts["gateway_url"]).port or 80)
    _, answer = await wire.ask("GET", f"/v1/flight-offers/{offer}")
    wire.close()
    shown = json.loads(answer)
    slices = shown.get("slices") or shown["offer"]["slices"]
    return [segment["flight_id"] for one in slices for segment in one["segments"]]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--buyers", type=int, default=2000)
    parser.add_argument("--seats", type=int, default=180)
    chosen = parser.parse_args()
    with stack() as own:
        reached = uvloop.run(play(own, chosen.buyers, chosen.seats))
    print(f"target: exactly {chosen.seats} sold, the rest 409 or 429, in {TARGET_SECONDS:.0f} s: ", end="")
    print("reached" if reached else "NOT reached")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
