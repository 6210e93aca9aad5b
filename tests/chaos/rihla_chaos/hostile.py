"""Journeys of people who try it on. What they must never be told is written down as wrong."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rihla_chaos.honest import Trip, bought, card, find
from rihla_chaos.person import Answer, Ended, Person

DELAYED = "4000000000000259"
"""The sandbox's card that succeeds by webhook five seconds later."""


async def repeats_a_key(trip: Trip) -> None:
    """The same booking and the same payment three times at once, each under one key: one of each comes of it."""
    who, key, pay_key = trip.who, secrets.token_hex(12), secrets.token_hex(12)
    body = who.booking_body(await find(trip), trip.people())
    answers = await asyncio.gather(*(who.ask("book", "POST", "/v1/bookings", key=key, json=body) for _ in range(3)))
    _one_id(trip, "one key made several bookings", answers)
    made = next((one for one in answers if one.good), None)
    if made is None:
        raise Ended(f"book: {answers[0].status} {answers[0].code}")
    other = who.booking_body({"id": body["offer_id"]}, trip.people(2))
    reused = await who.ask("book-other", "POST", "/v1/bookings", key=key, json=other)
    if reused.good:
        who.history.wrong(f"key {key} took another payload")
    payment = {"booking_id": made.body["id"], "method": card()}
    paid = await asyncio.gather(*(who.ask("pay", "POST", "/v1/payments", key=pay_key, json=payment) for _ in range(3)))
    _one_id(trip, "one key made several payments", paid)


async def pays_twice(trip: Trip) -> None:
    """Two payments under two keys at once: one succeeds, the other is refused or given back."""
    who = trip.who
    booking = await who.place(await find(trip), trip.people())
    body = {"booking_id": booking["id"], "method": card()}
    await asyncio.gather(
        *(who.ask("pay", "POST", "/v1/payments", key=secrets.token_hex(12), json=body) for _ in range(2))
    )
    await who.becomes(booking, "confirmed", "expired")
    again = await who.ask("pay", "POST", "/v1/payments", key=secrets.token_hex(12), json=body)
    if again.good and again.body["status"] == "succeeded":
        who.history.wrong(f"booking {booking['reference']} was confirmed and could be paid again")


async def pays_at_the_last_moment(trip: Trip) -> None:
    """A card that needs five seconds, two seconds before the window ends: reinstated or refunded, the verifier says."""
    who = trip.who
    booking = await who.place(await find(trip), trip.people())
    left = booking.get("payment_seconds_left") or 30
    await asyncio.sleep(max(0.0, min(left, 60) - 2))
    body = {"booking_id": booking["id"], "method": card(DELAYED)}
    await who.ask("pay", "POST", "/v1/payments", key=secrets.token_hex(12), json=body)


async def pays_after_expiry(trip: Trip) -> None:
    """When the window is over there is nothing left to pay."""
    who = trip.who
    booking = await who.place(await find(trip), trip.people())
    left = booking.get("payment_seconds_left") or 30
    if left > 60:
        return
    await asyncio.sleep(left + 1.5)
    body = {"booking_id": booking["id"], "method": card()}
    answer = await who.ask("pay", "POST", "/v1/payments", key=secrets.token_hex(12), json=body)
    if answer.good:
        who.history.wrong(f"booking {booking['reference']} could be paid after it expired: {answer.body['status']}")


async def cancels_twice(trip: Trip) -> None:
    """Two quotes, both confirmed at once under two keys: at most one is taken."""
    who, booking = trip.who, await bought(trip)
    path = f"/v1/bookings/{booking['id']}"
    quotes = [
        await who.must(
            "cancel-quote", "POST", f"{path}/cancellation-quotes", key=secrets.token_hex(12), json={"scope": "all"}
        )
        for _ in range(2)
    ]
    answers = await asyncio.gather(
        *(
            who.ask("cancel", "POST", f"{path}/cancellations", key=secrets.token_hex(12), json={"quote_id": one["id"]})
            for one in quotes
        )
    )
    if sum(one.good for one in answers) > 1:
        who.history.wrong(f"booking {booking['reference']} was cancelled twice")
    await who.becomes(booking, "cancelled")


async def looks_at_others(trip: Trip, other: Mapping[str, Any] | None) -> None:
    """Read, pay, cancel what belongs to somebody else: it does not exist."""
    if other is None:
        return
    who, path = trip.who, f"/v1/bookings/{other['id']}"
    attempts = [
        await who.ask("snoop", "GET", path),
        await who.ask("snoop", "GET", f"{path}/documents"),
        await who.ask("snoop", "POST", f"{path}/cancellation-quotes", key=secrets.token_hex(8), json={"scope": "all"}),
        await who.ask(
            "snoop",
            "POST",
            "/v1/payments",
            key=secrets.token_hex(8),
            json={"booking_id": other["id"], "method": {"type": "wallet"}},
        ),
    ]
    for answer in attempts:
        if answer.status != 404:
            who.history.wrong(f"{who.name} was told {answer.status} {answer.code} about {other['reference']}")


async def tampers(trip: Trip) -> None:
    """An offer with one letter changed."""
    offer = await find(trip)
    at = trip.rng.randrange(len(offer["id"]))
    letter = "A" if offer["id"][at] != "A" else "B"
    forged = {**offer, "id": offer["id"][:at] + letter + offer["id"][at + 1 :]}
    body = trip.who.booking_body(forged, trip.people())
    answer = await trip.who.ask("book", "POST", "/v1/bookings", key=secrets.token_hex(12), json=body)
    # The last letter of base64 may carry bits that mean nothing: then the offer is the same one, not a forged one.
    if answer.good and at < len(offer["id"]) - 1:
        trip.who.history.wrong(f"a tampered offer was sold as {answer.body['reference']}")


async def forges_a_webhook(trip: Trip) -> None:
    """A payment that never was, signed by nobody."""
    event = {"id": f"evt_{secrets.token_hex(8)}", "type": "payment.succeeded", "data": {"id": secrets.token_hex(8)}}
    content = json.dumps(event).encode()
    signature = f"t={int(time.time())},v1={secrets.token_hex(32)}"
    headers = {"Sandbox-Signature": signature, "Content-Type": "application/json"}
    response = await trip.who.http.post(f"{trip.who._gateway}/v1/webhooks/sandbox", content=content, headers=headers)
    if response.status_code < 400:
        trip.who.history.wrong(f"a forged webhook was answered {response.status_code}")


async def races_for_a_seat(trip: Trip, rivals: list[Person]) -> None:
    """Everybody wants one seat; at most one of them is told that it is theirs.

    Two are no wrong when the first had its seat's time run out, unpaid, before the other was answered: a platform that
    is being killed answers late. Whether two own it then is the verifier's question.
    """
    offer = await find(trip)
    seat = await trip.who.free_seat(offer, trip.rng)
    if seat is None:
        return
    passengers = [{**trip.people()[0], "seats": [seat]} for _ in range(len(rivals) + 1)]

    async def book(who: Person, passenger: dict[str, Any]) -> tuple[Person, Answer, datetime]:
        body = who.booking_body(offer, [passenger])
        answer = await who.ask("book", "POST", "/v1/bookings", key=secrets.token_hex(12), json=body)
        return who, answer, datetime.now(UTC)

    answers = await asyncio.gather(*(book(w, p) for w, p in zip([trip.who, *rivals], passengers, strict=True)))
    winners = [one for one in answers if one[1].good]
    if len(winners) > 1 and all_at_once([(answer, at) for _, answer, at in winners]):
        told = ", ".join(str(answer.body["reference"]) for _, answer, _ in winners)
        trip.who.history.wrong(f"seat {seat['designator']} of flight {seat['flight_id']} was given to {told}")
    for who, answer, _ in winners:
        await who.settle(answer.body, card())


def _one_id(trip: Trip, sentence: str, answers: list[Answer]) -> None:
    ids = {str(one.body.get("id")) for one in answers if one.good}
    if len(ids) > 1:
        trip.who.history.wrong(f"{sentence}: {', '.join(sorted(ids))}")


def all_at_once(winners: Sequence[tuple[Answer, datetime]]) -> bool:
    """Whether every winner was answered while the first one's seat was still kept for them."""
    kept_until = min(datetime.fromisoformat(answer.body["payment_required_by"]) for answer, _ in winners)
    return max(at for _, at in winners) < kept_until
