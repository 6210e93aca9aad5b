"""Worker time of the papers of a booking: reading it, composing and typesetting its ticket and its receipt.

`python bench/papers.py [--times 100]` against the stack of BENCH_STACK or one of its own. Two bookings, of one
passenger and of ten, are placed and paid; then their papers are made again and again in this process, warm as in a
worker that has made papers before. What is counted is CPU time; storing the files is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any
from uuid import UUID

from stacked import offers, say, stack

from booking_service.bookings.read_booking import load_booking
from booking_service.documents.papers.compose_receipt import compose_receipt
from booking_service.documents.papers.compose_ticket import compose_ticket
from booking_service.documents.parts import airport_name
from booking_service.documents.symbols import qr_svg
from booking_service.documents.typeset import Typesetter
from rihla.db import Database
from rihla_local.traveller import Traveller, adult

TARGET_MS = 60.0
PARTIES = (1, 10)


async def placed(facts: dict[str, Any], size: int, offer: str) -> UUID:
    """A confirmed booking of so many adults."""
    who = Traveller(facts["gateway_url"], facts["inbox_url"])
    try:
        await who.sign_up()
        booking = await who.book({"id": offer}, passengers=[adult() for _ in range(size)])
        await who.pay(booking)
        await who.wait_until(booking, "confirmed", timeout=30)
    finally:
        await who.close()
    return UUID(booking["id"])


async def made(db: Database, typesetter: Typesetter, booking_id: UUID, times: int) -> dict[str, float]:
    """Milliseconds of CPU: the ticket's whole way, and the receipt's."""
    spent = {"ticket": 0.0, "receipt": 0.0}
    for turn in range(times + 1):
        for paper in spent:
            began = time.process_time()
            async with db.transaction() as session:
                view = await load_booking(session, booking_id)
            assert view is not None
            symbol = qr_svg("https://rihla.example/b")
            sheet: Any
            if paper == "ticket":
                sheet = compose_ticket(view, link="https://rihla.example/b", qr_svg=symbol, airport_name=airport_name)
            else:
                sheet = compose_receipt(view, link="https://rihla.example/b", qr_svg=symbol)
            typesetter.set("ticket" if paper == "ticket" else "receipt", sheet, "pdf")
            if turn:  # the first one reads fonts and templates
                spent[paper] += (time.process_time() - began) * 1e3
    return {paper: total / times for paper, total in spent.items()}


async def play(facts: dict[str, Any], times: int) -> bool:
    """Measure and print; whether the promise was kept."""
    figures: dict[str, float] = {}
    found = await offers(facts, len(PARTIES))
    db = Database(facts["databases"]["booking"])
    typesetter = Typesetter()
    try:
        for size, offer in zip(PARTIES, found, strict=True):
            spent = await made(db, typesetter, await placed(facts, size, offer), times)
            for paper, milliseconds in spent.items():
                print(f"{paper} of {size}: {milliseconds:.1f} ms of CPU")
                figures[f"{paper} of {size}, ms of CPU"] = round(milliseconds, 1)
    finally:
        typesetter.close()
        await db.close()
    say(**figures)
    return max(figures.values()) <= TARGET_MS


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=100)
    chosen = parser.parse_args()
    with stack() as own:
        reached = asyncio.run(play(own.facts, chosen.times))
    print(f"target {TARGET_MS:.0f} ms a paper: {'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
