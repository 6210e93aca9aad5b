"""A traveller who keeps asking while the platform is being broken, under one key, and records each answer."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from rihla_chaos.history import History
from rihla_local.traveller import PASSWORD, NotInTime, Refused, Traveller

PATIENCE_SECONDS = 75.0
LONGEST_PAUSE = 1.0
NO_ANSWER = 0
_AGAIN = frozenset({"request-in-progress", "booking-step-under-way", "too-many-requests"})


class Ended(Exception):
    """The journey cannot go on; the message says why in a few words."""


class Answer:
    """Status, code and body of the final answer to a deed."""

    def __init__(self, status: int, body: Mapping[str, Any], code: str = "") -> None:
        self.status, self.body, self.code = status, body, code

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


class Person(Traveller):
    """One account. `name` is what the history calls this person."""

    def __init__(self, name: str, facts: Mapping[str, Any], http: httpx.AsyncClient, history: History) -> None:
        super().__init__(facts["gateway_url"], facts["inbox_url"], http=http)
        self.name = name
        self.history = history
        self._password = PASSWORD
        self._signing_in = asyncio.Lock()

    @property
    def bearer(self) -> dict[str, str]:
        """The header that says who is asking."""
        return {"authorization": f"Bearer {self.tokens['access_token']}"}

    @property
    def socket_url(self) -> str:
        """Where this person chats."""
        return f"{self._gateway}/v1/chat/ws"

    async def sign_in(self, email: str, password: str) -> None:
        """As somebody who has an account already."""
        await super().sign_in(email, password)
        self._password = password

    async def join(self) -> None:
        """Sign up, patiently: a code that got lost is asked for again under a new address."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.tokens = {}
            self.email = f"{self.name}-{secrets.token_hex(4)}@example.com"
            try:
                await self.sign_up()
                return
            except (httpx.HTTPError, NotInTime, Refused) as error:
                if time.monotonic() > deadline:
                    raise Ended(f"could not sign up: {type(error).__name__} {error}"[:160]) from None
                await asyncio.sleep(0.5)

    async def once(self, deed: str, method: str, path: str, *, key: str = "", **options: Any) -> Answer:
        """One request and its answer, recorded; nobody answering is status 0."""
        headers = {"idempotency-key": key} if key else {}
        began = time.monotonic()
        try:
            response = await self.call(method, path, headers=headers, **options)
            status = response.status_code
            body = _object(response)
        except httpx.HTTPError:
            status, body = NO_ANSWER, {}
        answer = Answer(status, body, str(body.get("code", "")) if status >= 400 else "")
        sent = options.get("json") or {}
        self.heard(
            deed,
            answer,
            key=key or str(sent.get("client_id", "")),
            booking_id=str(sent.get("booking_id", "")),
            said=str(sent.get("text", "")),
            ms=round((time.monotonic() - began) * 1000),
        )
        return answer

    def heard(self, deed: str, answer: Answer, **more: Any) -> None:
        """Record what this person was told."""
        told = {name: str(answer.body.get(name, "")) if answer.good else "" for name in ("id", "reference")}
        self.history.tell(who=self.name, deed=deed, status=answer.status, code=answer.code, **told, **more)

    async def ask(
        self, deed: str, method: str, path: str, *, key: str = "", patience: float = PATIENCE_SECONDS, **options: Any
    ) -> Answer:
        """Until there is a final answer: a 2xx, or a refusal that will not change. Raises Ended when none comes."""
        deadline, pause = time.monotonic() + patience, 0.1
        while True:
            token = self.tokens.get("access_token")
            answer = await self.once(deed, method, path, key=key, **options)
            if answer.status == 401 and await self._signed_in_again(token):
                continue
            if answer.good or (
                400 <= answer.status < 500 and answer.status not in (408, 425, 429) and answer.code not in _AGAIN
            ):
                return answer
            if time.monotonic() > deadline:
                raise Ended(f"{deed}: no final answer ({answer.status} {answer.code})")
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def must(self, deed: str, method: str, path: str, **options: Any) -> Mapping[str, Any]:
        """The body of a good final answer. Raises Ended with the code of any other."""
        answer = await self.ask(deed, method, path, **options)
        if not answer.good:
            raise Ended(f"{deed}: {answer.status} {answer.code}")
        return answer.body

    async def _signed_in_again(self, token: str | None) -> bool:
        """New tokens in the place of the access token `token`: by the refresh token or else by the password."""
        if token is None:
            return False
        async with self._signing_in:
            if self.tokens.get("access_token") not in (None, token):
                return True
            refresh, self.tokens = self.tokens.get("refresh_token"), {}
            for path, body in (
                ("/v1/auth/refresh", {"refresh_token": refresh}),
                ("/v1/auth/login", {"identifier": self.email, "password": self._password}),
            ):
                answer = await self.ask("sign-in", "POST", path, json=body)
                if answer.good:
                    self.tokens = dict(answer.body)
                    return True
        raise Ended("could not sign in again")

    # ---- deeds

    async def offers(self, origin: str, destination: str, days: int, **filters: Any) -> list[dict[str, Any]]:
        """The first page of a search."""
        date = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        params = {"origin": origin, "destination": destination, "departure_date": date, "limit": 10, **filters}
        return list((await self.must("search", "GET", "/v1/flight-offers", params=params))["items"])

    async def free_seat(self, offer: Mapping[str, Any], rng: random.Random) -> dict[str, str] | None:
        """A free seat without a price of the offer's first flight."""
        segment = offer["slices"][0]["segments"][0]
        plan = await self.must("seat-map", "GET", f"/v1/flights/{segment['flight_id']}/seat-map")
        free = [
            seat["designator"]
            for cabin in plan["cabins"]
            if cabin["cabin"] == segment["cabin"]
            for row in cabin["rows"]
            for seat in row["seats"]
            if seat["state"] == "free" and not row["exit_row"]
        ]
        return {"flight_id": segment["flight_id"], "designator": rng.choice(free)} if free else None

    def booking_body(self, offer: Mapping[str, Any], passengers: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "offer_id": offer["id"],
            "contact": {"email": self.email, "phone": "+8801712345678"},
            "passengers": passengers,
        }

    async def place(self, offer: Mapping[str, Any], passengers: list[dict[str, Any]]) -> Mapping[str, Any]:
        """Book under a fresh key."""
        body = self.booking_body(offer, passengers)
        return await self.must("book", "POST", "/v1/bookings", key=secrets.token_hex(12), json=body)

    async def settle(self, booking: Mapping[str, Any], method: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
        """Pay under a fresh key; the payment as first answered."""
        body = {"booking_id": booking["id"], "method": method, **more}
        return await self.must("pay", "POST", "/v1/payments", key=secrets.token_hex(12), json=body)

    async def becomes(self, booking: Mapping[str, Any], *states: str, seconds: float = 75) -> Mapping[str, Any]:
        """The booking once its status is one of `states`. Raises Ended when it is not in time."""
        deadline = time.monotonic() + seconds
        while True:
            now = await self.must("read", "GET", f"/v1/bookings/{booking['id']}")
            if now["status"] in states:
                return now
            if time.monotonic() > deadline:
                raise Ended(f"waited {seconds:.0f} s for {'/'.join(states)}, is {now['status']}")
            await asyncio.sleep(0.15)


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json() if response.content else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
