"""Journeys of people who mean well. Each raises Ended with a few words when it cannot go on."""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rihla_chaos.history import Journey
from rihla_chaos.person import Ended, Person
from rihla_local.traveller import CARD, DECLINED, GOOD, adult

Route = tuple[str, str]
NAMES = ("Amina", "Omar", "Rahim", "Layla", "Yusuf", "Noor", "Sara", "Bilal", "Hana", "Idris")
SURNAMES = ("Rahman", "Khan", "Haddad", "Begum", "Siddiqui", "Mansour", "Chowdhury", "Malik")


@dataclass
class Trip:
    """What a journey needs: who, the routes on sale, its own dice, and the line of the report it fills in."""

    who: Person
    routes: Sequence[Route]
    rng: random.Random
    journey: Journey

    def people(self, count: int = 1) -> list[dict[str, Any]]:
        """Grown-up passengers."""
        return [adult(self.rng.choice(NAMES), self.rng.choice(SURNAMES)) for _ in range(count)]


def card(number: str = GOOD) -> dict[str, Any]:
    """A sandbox card as a payment method."""
    return {"type": "card", "provider": "sandbox", "card": {**CARD, "number": number}}


async def find(trip: Trip, *, days: int | None = None, **filters: Any) -> dict[str, Any]:
    """An offer on some route: a few tries, since not every route flies every day."""
    for _ in range(6):
        origin, destination = trip.rng.choice(trip.routes)
        wanted = days if days is not None else trip.rng.randint(4, 50)
        if found := await trip.who.offers(origin, destination, wanted, max_stops=1, **filters):
            return trip.rng.choice(found)
    raise Ended("found no offer")


async def paid(trip: Trip, booking: Mapping[str, Any], method: Mapping[str, Any]) -> Mapping[str, Any]:
    """Pay and wait for the confirmation."""
    payment = await trip.who.settle(booking, method)
    if payment["status"] == "failed":
        raise Ended(f"payment failed: {(payment.get('failure') or {}).get('code')}")
    confirmed = await trip.who.becomes(booking, "confirmed", "expired")
    if confirmed["status"] == "expired":
        raise Ended("paid, and expired")
    trip.journey.confirmed_at = trip.who.history.now
    return confirmed


async def bought(trip: Trip, count: int = 1, days: int | None = None, **filters: Any) -> Mapping[str, Any]:
    """Search, choose a seat half of the time, book, pay by card, confirmed."""
    offer = await find(trip, days=days, adults=count, **filters)
    people = trip.people(count)
    if trip.rng.random() < 0.5 and (seat := await trip.who.free_seat(offer, trip.rng)):
        people[0]["seats"] = [seat]
    booking = await trip.who.place(offer, people)
    return await paid(trip, booking, card())


async def flies(trip: Trip) -> None:
    """The journey everybody makes."""
    await bought(trip, trip.rng.choice((1, 1, 1, 2)))


async def pays_from_the_wallet(trip: Trip) -> None:
    """Top up by card, book, pay from the wallet."""
    offer = await find(trip)
    total = offer["price"]["total"]
    body = {"amount": total, "method": card()}
    top_up = await trip.who.must("top-up", "POST", "/v1/wallet/top-ups", key=secrets.token_hex(12), json=body)
    for _ in range(200):
        if top_up["status"] != "processing":
            break
        top_up = await trip.who.must("top-up-read", "GET", f"/v1/payments/{top_up['id']}")
    booking = await trip.who.place(offer, trip.people())
    await paid(trip, booking, {"type": "wallet"})


async def cancels(trip: Trip) -> None:
    """Cancel a paid booking as quoted."""
    booking = await bought(trip)
    await cancel(trip, booking, {"scope": "all"})
    await trip.who.becomes(booking, "cancelled")


async def cancels_for_one(trip: Trip) -> None:
    """Of two passengers one stays at home."""
    booking = await bought(trip, 2)
    await cancel(trip, booking, {"scope": "part", "passenger_ids": [booking["passengers"][0]["id"]]})
    await trip.who.becomes(booking, "partially_cancelled")


async def cancel(trip: Trip, booking: Mapping[str, Any], scope: Mapping[str, Any]) -> None:
    """Quote, then confirm the quote; a quote made outdated by our own retry is asked for again."""
    path = f"/v1/bookings/{booking['id']}"
    quote = await trip.who.must(
        "cancel-quote", "POST", f"{path}/cancellation-quotes", key=secrets.token_hex(12), json=scope
    )
    body = {"quote_id": quote["id"]}
    await trip.who.must("cancel", "POST", f"{path}/cancellations", key=secrets.token_hex(12), json=body)


async def changes(trip: Trip) -> None:
    """Move to a flight of another day, pay the difference if there is one."""
    booking = await bought(trip, days=trip.rng.randint(10, 30))
    part = booking["slices"][0]
    found = await trip.who.offers(part["origin"], part["destination"], trip.rng.randint(31, 50), max_stops=1)
    if not found:
        raise Ended("found no other flight")
    path = f"/v1/bookings/{booking['id']}"
    wish = {"slice_id": part["id"], "offer_id": trip.rng.choice(found)["id"]}
    quote = await trip.who.ask("change-quote", "POST", f"{path}/change-quotes", json=wish)
    if quote.code == "not-changeable":
        return
    if not quote.good:
        raise Ended(f"change-quote: {quote.status} {quote.code}")
    body = {"quote_id": quote.body["id"]}
    changed = await trip.who.must("change", "POST", f"{path}/changes", key=secrets.token_hex(12), json=body)
    due = [one for one in changed["charges"] if one["status"] == "due"]
    if due:
        await trip.who.settle(booking, card(), charge_id=due[0]["id"])
        for _ in range(400):
            now = await trip.who.must("read", "GET", path)
            if all(one["status"] != "due" for one in now["charges"]):
                return
        raise Ended("paid for a change, and it is still due")


async def checks_in(trip: Trip) -> None:
    """Fly within two days, check in; sometimes undo it and check in again."""
    booking = await bought(trip, days=1)
    path = f"/v1/bookings/{booking['id']}/check-in"
    body = {"passenger_ids": [one["id"] for one in booking["passengers"]]}
    answer = await trip.who.ask("check-in", "POST", path, json=body)
    if answer.good and trip.rng.random() < 0.3:
        await trip.who.ask("check-in-undo", "DELETE", path)
        answer = await trip.who.ask("check-in", "POST", path, json=body)
    if not answer.good and answer.code not in ("check-in-not-open", "check-in-closed", "nothing-to-check-in"):
        raise Ended(f"check-in: {answer.status} {answer.code}")


async def lets_it_expire(trip: Trip) -> None:
    """Book and walk away."""
    await trip.who.place(await find(trip), trip.people())


async def tries_another_card(trip: Trip) -> None:
    """Declined, then good."""
    booking = await trip.who.place(await find(trip), trip.people())
    declined = await trip.who.settle(booking, card(DECLINED))
    if declined["status"] not in ("failed", "processing"):
        trip.who.history.wrong(f"a declined card paid booking {booking['reference']}: {declined['status']}")
    await paid(trip, booking, card())
