"""A traveller as a program: registers, reads the code in the inbox, searches, books, pays, waits for the ticket.

The demo, the end-to-end tests, the benchmarks and the chaos run all travel with it, through the gateway only.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
PASSWORD = "correct horse battery staple 7"
GOOD = "4242424242424242"
CARD = {"exp_month": 12, "exp_year": 2030, "cvc": "123"}
DECLINED = "4000000000000002"
_CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")


class Refused(Exception):
    """An answer we did not hope for; `status` and `code` say which."""

    def __init__(self, step: str, response: httpx.Response) -> None:
        self.status = response.status_code
        try:
            document = response.json()
        except ValueError:
            document = {}
        self.problem: dict[str, Any] = document if isinstance(document, dict) else {}
        self.code = str(self.problem.get("code", ""))
        super().__init__(f"{step}: {response.status_code} {response.text[:500]}")


class NotInTime(Exception):
    """A state that had to come did not."""


class Traveller:
    """One person with one account. Methods raise Refused for any answer other than the good one."""

    def __init__(self, gateway_url: str, inbox_url: str, *, http: httpx.AsyncClient | None = None) -> None:
        self.http = http or httpx.AsyncClient(timeout=60)
        self._owns_http = http is None
        self._gateway = gateway_url.rstrip("/")
        self._inbox = inbox_url.rstrip("/")
        self.email = f"traveller-{secrets.token_hex(6)}@example.com"
        self.tokens: dict[str, Any] = {}

    async def close(self) -> None:
        """Close the connections this traveller opened."""
        if self._owns_http:
            await self.http.aclose()

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request through the gateway, with this traveller's token once there is one."""
        headers = dict(options.pop("headers", {}))
        if self.tokens and "authorization" not in headers:
            headers["authorization"] = f"Bearer {self.tokens['access_token']}"
        return await self.http.request(method, self._gateway + path, headers=headers, **options)

    async def expect(self, step: str, method: str, path: str, *, status: int = 200, **options: Any) -> Any:
        """The body of an answer with `status`; Refused otherwise."""
        response = await self.call(method, path, **options)
        if response.status_code != status:
            raise Refused(step, response)
        return response.json() if response.content else None

    async def sign_up(self) -> None:
        """Register, read the code in the inbox, verify: afterwards this traveller is signed in."""
        body = {"email": self.email, "password": PASSWORD, "full_name": "Amina Rahman"}
        await self.expect("register", "POST", "/v1/auth/register", status=201, json=body)
        code = await self.code_from_mail()
        verify = {"identifier": self.email, "code": code}
        self.tokens = await self.expect("verify", "POST", "/v1/auth/verify", json=verify)

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in with a password instead."""
        self.email = email
        body = {"identifier": email, "password": password}
        self.tokens = await self.expect("login", "POST", "/v1/auth/login", json=body)

    async def search(self, origin: str, destination: str, days_ahead: int = 21, **filters: Any) -> list[dict[str, Any]]:
        """Offers of one page."""
        date = (datetime.now(UTC) + timedelta(days=days_ahead)).date().isoformat()
        params = {"origin": origin, "destination": destination, "departure_date": date, **filters}
        found = await self.expect("search", "GET", "/v1/flight-offers", params=params)
        return list(found["items"])

    async def book(self, offer: Mapping[str, Any], *, key: str | None = None, **changes: Any) -> dict[str, Any]:
        """Place a booking for the offer, for one adult unless `changes` says otherwise."""
        body = {
            "offer_id": offer["id"],
            "contact": {"email": self.email, "phone": "+8801712345678"},
            "passengers": [adult()],
            **changes,
        }
        headers = {"idempotency-key": key or secrets.token_hex(12)}
        booking = await self.expect("book", "POST", "/v1/bookings", status=201, json=body, headers=headers)
        return dict(booking)

    async def pay(self, booking: Mapping[str, Any], *, card: str = GOOD, key: str | None = None) -> dict[str, Any]:
        """Pay the booking's due charge by sandbox card."""
        method = {"type": "card", "provider": "sandbox", "card": {**CARD, "number": card}}
        body = {"booking_id": booking["id"], "method": method}
        headers = {"idempotency-key": key or secrets.token_hex(12)}
        payment = await self.expect("pay", "POST", "/v1/payments", status=201, json=body, headers=headers)
        return dict(payment)

    async def read(self, booking: Mapping[str, Any]) -> dict[str, Any]:
        """The booking as it is now."""
        return dict(await self.expect("read the booking", "GET", f"/v1/bookings/{booking['id']}"))

    async def wait_until(self, booking: Mapping[str, Any], status: str, *, timeout: float = 60) -> dict[str, Any]:
        """The booking once it has this status; NotInTime otherwise."""

        async def has_it() -> dict[str, Any] | None:
            now = await self.read(booking)
            return now if now["status"] == status else None

        return await within(timeout, f"booking {booking['reference']} {status}", has_it)

    async def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """What the inbox holds for this traveller, newest first."""
        response = await self.http.get(f"{self._inbox}/messages", params={"to": to or self.email})
        if response.status_code != 200:
            raise Refused("read the inbox", response)
        return list(response.json()["items"])

    async def code_from_mail(self, *, timeout: float = 60) -> str:
        """The newest six-digit code in the inbox."""

        async def newest() -> str | None:
            for mail in await self.mails():
                if found := _CODE.search(f"{mail['subject']}\n{mail['text']}"):
                    return found.group(1)
            return None

        return await within(timeout, "the code by mail", newest)

    async def ticket_mail(self, reference: str, *, timeout: float = 60) -> dict[str, Any]:
        """The confirmation mail with a PDF attached."""

        async def arrived() -> dict[str, Any] | None:
            for mail in await self.mails():
                pdf = [one for one in mail["attachments"] if one["type"] == "application/pdf"]
                if pdf and reference in f"{mail['subject']} {mail['text']}":
                    return mail
            return None

        return await within(timeout, "the mail with the ticket", arrived)


def adult(given_name: str = "Amina", surname: str = "Rahman", **changes: Any) -> dict[str, Any]:
    """A grown-up passenger with a passport."""
    return {
        "type": "adult",
        "title": "ms",
        "given_name": given_name,
        "surname": surname,
        "date_of_birth": "1988-04-01",
        "gender": "female",
        "passport": {"number": "BX0123456", "issuing_country": "BD", "nationality": "BD", "expires_on": "2031-05-01"},
        **changes,
    }


async def within(seconds: float, what: str, ask: Callable[[], Awaitable[T | None]], *, every: float = 0.05) -> T:
    """Ask until the answer is truthy; NotInTime after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := await ask():
            return answer
        await asyncio.sleep(every)
    raise NotInTime(f"{what} did not come within {seconds:g} s")
