"""Journeys that talk with support: over HTTP, over the socket, and by somebody who tries it on."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from rihla_chaos.honest import Trip
from rihla_chaos.person import LONGEST_PAUSE, PATIENCE_SECONDS, Answer, Ended, Person

CHATS = frozenset({"asks support", "chats"})
"""Journeys that show that chat works: `confirmed_at` is when everything said was there to read."""
FRAME_SECONDS = 6.0
_PATIENT = aiohttp.ClientWSTimeout(ws_close=2.0)
_WORDS = ("My bag did not arrive with me.", "Can I bring a second bag?", "আমার ফ্লাইট কখন?", "شكرا", "Thank you!")
_TRANSIENT = frozenset({"service-unavailable", "too-many-frames", "not-handled"})


async def asks_support(trip: Trip, desk: Person) -> Mapping[str, Any]:
    """Write over HTTP, be answered by the desk, read it all; half of the readers say that they have."""
    place = await _conversation(trip.who)
    said = [await _say(trip.who, place, text) for text in _texts(trip)]
    said.append(await _say(desk, place, f"Answer {secrets.token_hex(4)}: we are looking into it."))
    await _all_there(trip, place, said)
    if trip.rng.random() < 0.5:
        receipt = {"seen_seq": max(one["seq"] for one in said)}
        await trip.who.must("receipt", "POST", f"{_path(place)}/receipts", json=receipt)
    return place


async def chats(trip: Trip, http: aiohttp.ClientSession) -> None:
    """Write over the socket, again under the same id and over a new socket until it is acknowledged."""
    place = await _conversation(trip.who)
    waiting = {secrets.token_hex(12): text for text in _texts(trip)}
    said: list[Mapping[str, Any]] = []
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
    while waiting:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
            await _over_a_socket(trip, http, waiting, said)
        if waiting:
            if time.monotonic() > deadline:
                raise Ended("a text over the socket was never acknowledged")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            await _conversation(trip.who)  # signs in again when the token has run out
    await _all_there(trip, place, said)


async def repeats_a_message(trip: Trip, other: Mapping[str, Any] | None) -> None:
    """One id three times at once, then with other words, then in somebody else's conversation."""
    who, place = trip.who, await _conversation(trip.who)
    body = {"client_id": secrets.token_hex(12), "text": trip.rng.choice(_WORDS)}
    answers = await asyncio.gather(*(who.ask("say", "POST", f"{_path(place)}/messages", json=body) for _ in range(3)))
    ids = {str(one.body["id"]) for one in answers if one.good}
    if len(ids) > 1:
        who.history.wrong(f"one client_id made several messages: {', '.join(sorted(ids))}")
    reused = await who.ask("say-other", "POST", f"{_path(place)}/messages", json={**body, "text": "Other words."})
    if reused.good:
        who.history.wrong(f"client_id {body['client_id']} took other words")
    if other is not None and other["id"] != place["id"]:
        strange = {"client_id": secrets.token_hex(12), "text": "I am not who you think."}
        answer = await who.ask("say", "POST", f"{_path(other)}/messages", json=strange)
        if answer.status != 404:
            who.history.wrong(f"{who.name} was told {answer.status} {answer.code} in a conversation of another")


async def _conversation(who: Person) -> Mapping[str, Any]:
    return await who.must("conversation", "POST", "/v1/chat/conversations", json={"language": "en"})


def _path(place: Mapping[str, Any]) -> str:
    return f"/v1/chat/conversations/{place['id']}"


def _texts(trip: Trip) -> list[str]:
    """No two alike, so that what is read can be told apart."""
    return [f"{trip.rng.choice(_WORDS)} ({secrets.token_hex(4)})" for _ in range(trip.rng.randint(2, 4))]


async def _say(who: Person, place: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    body = {"client_id": secrets.token_hex(12), "text": text}
    return await who.must("say", "POST", f"{_path(place)}/messages", json=body)


async def _over_a_socket(
    trip: Trip, http: aiohttp.ClientSession, waiting: dict[str, str], said: list[Mapping[str, Any]]
) -> None:
    """Everything that waits, one after the other; what is acknowledged moves from `waiting` to `said`."""
    async with http.ws_connect(trip.who.socket_url, headers=trip.who.bearer, timeout=_PATIENT) as socket:
        for client_id, text in list(waiting.items()):
            await socket.send_json({"type": "send", "client_id": client_id, "text": text})
            frame = await _answer_to(client_id, socket)
            if frame["type"] == "ack":
                status = 200 if frame["repeated"] else 201
                trip.who.heard("say", Answer(status, frame), key=client_id, said=text)
                said.append({**frame, "text": waiting.pop(client_id)})
            elif frame["code"] not in _TRANSIENT:
                raise Ended(f"chat: refused {frame['code']}")
            else:
                return


async def _answer_to(client_id: str, socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The `ack` or `refused` frame of this text. Raises TimeoutError, or ConnectionError when the socket closed."""
    async with asyncio.timeout(FRAME_SECONDS):
        async for received in socket:
            frame: dict[str, Any] = received.json()
            if frame["type"] in ("ack", "refused") and frame.get("client_id") in (client_id, None):
                return frame
    raise ConnectionError("the socket closed")


async def _all_there(trip: Trip, place: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> None:
    """Read on from where the conversation stood: numbered without a hole, and each text as it was acknowledged."""
    params = {"after": place["last_seq"], "limit": 200}
    found = await trip.who.must("chat-read", "GET", f"{_path(place)}/messages", params=params)
    numbers = [one["seq"] for one in found["items"]]
    if numbers != list(range(place["last_seq"] + 1, place["last_seq"] + 1 + len(numbers))):
        trip.who.history.wrong(f"conversation {place['id']} is numbered {numbers} after {place['last_seq']}")
    by_number = {one["seq"]: one for one in found["items"]}
    for one in said:
        there = by_number.get(one["seq"])
        if there is None or (there["id"], there["text"]) != (one["id"], one["text"]):
            trip.who.history.wrong(f"message {one['id']} was acknowledged as {one['seq']} and reads {there}")
    trip.journey.confirmed_at = trip.who.history.now
