"""`make demo`: a traveller's journey against the running stack, each step with the time it took."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

import httpx

from rihla_local.layout import Layout, read_json
from rihla_local.traveller import NotInTime, Refused, Traveller

T = TypeVar("T")
ORIGIN, DESTINATION = "DAC", "JED"


def run_demo(layout: Layout) -> int:
    """0 when the traveller has a ticket; 1 with the reason when not."""
    stack = read_json(layout.stack_file)
    if stack is None or not stack.get("gateway_url"):
        sys.stderr.write("The stack is not running: start it with `make up` (or `make run` in another terminal).\n")
        return 1
    try:
        asyncio.run(_journey(stack))
    except (Refused, NotInTime, httpx.HTTPError) as problem:
        sys.stdout.write(f"\n  the journey ended here: {problem or type(problem).__name__}\n")
        return 1
    return 0


async def _journey(stack: dict[str, Any]) -> None:
    traveller = Traveller(stack["gateway_url"], stack["inbox_url"])
    began = time.monotonic()
    try:
        sys.stdout.write(f"  {traveller.email} travels from {ORIGIN} to {DESTINATION}\n\n")
        await _step("registers, reads the code in the inbox, verifies", traveller.sign_up())
        offers = await _step("searches", traveller.search(ORIGIN, DESTINATION, limit=5))
        if not offers:
            raise NotInTime(f"an offer from {ORIGIN} to {DESTINATION}")
        offer = offers[0]
        flights = " + ".join(segment["flight_number"] for one in offer["slices"] for segment in one["segments"])
        _say(f"{len(offers)} offers on the first page; takes {flights} for {_money(offer['price']['total'])}")
        booking = await _step("books", traveller.book(offer))
        _say(f"booking {booking['reference']}, {_money(booking['total'])}, due by {booking['payment_required_by']}")
        payment = await _step("pays by card", traveller.pay(booking))
        _say(f"payment {payment['status']}")
        confirmed = await _step("is confirmed", traveller.wait_until(booking, "confirmed"))
        ticket = confirmed["passengers"][0]
        seats = ", ".join(coupon["seat"] or "no seat" for coupon in ticket["coupons"])
        _say(f"e-ticket {ticket['e_ticket_number']}, seat {seats}")
        mail = await _step("has the ticket by mail", traveller.ticket_mail(booking["reference"]))
        _say(f"{mail['subject']!r} with {', '.join(one['name'] for one in mail['attachments'])}")
        _say(f"read it at {stack['inbox_url']}/?to={traveller.email}")
    finally:
        await traveller.close()
    sys.stdout.write(f"\n  the whole journey took {time.monotonic() - began:.2f} s\n")


async def _step(name: str, work: Awaitable[T]) -> T:
    began = time.monotonic()
    result = await work
    sys.stdout.write(f"  {time.monotonic() - began:6.3f} s  {name}\n")
    sys.stdout.flush()
    return result


def _say(text: str) -> None:
    sys.stdout.write(f"            {text}\n")


def _money(money: dict[str, str]) -> str:
    return f"{money['amount']} {money['currency']}"
