"""The person's own bookings, by the public API of booking-service and with the person's own token.

Only the gateway speaks for people (`rihla.auth.tokens`), so this service cannot make that token: the gateway sends one
made for booking-service with each request to the assistant (docs/adr, "the gateway hands on a token").
"""

import itertools
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport

from rihla.http.breaker import Breaker

HEADER = "x-internal-booking-authorization"
_SHOWN = 10


class BookingsUnavailable(Exception):
    """No token came along, or booking-service does not answer."""


class BookingReader:
    """Reads, and has no way to change anything."""

    def __init__(
        self, base_urls: str, *, timeout: float = 2.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        urls = [url.strip().rstrip("/") for url in base_urls.split(",") if url.strip()]
        self._turn = itertools.cycle(urls or ["http://unset.invalid"])
        self._client = httpx.AsyncClient(transport=transport or AiohttpTransport(), timeout=timeout, trust_env=False)
        self._breaker = Breaker()

    async def latest(self, authorization: str | None) -> list[dict[str, Any]]:
        """The person's bookings: what comes next first, then the others, newest first. Raises BookingsUnavailable."""
        if not authorization or not self._breaker.allows():
            raise BookingsUnavailable
        upcoming = await self._list(authorization, {"when": "upcoming", "limit": str(_SHOWN)})
        others = await self._list(authorization, {"limit": str(_SHOWN)})
        known = {booking["id"] for booking in upcoming}
        return upcoming + [booking for booking in others if booking["id"] not in known]

    async def _list(self, authorization: str, params: dict[str, str]) -> list[dict[str, Any]]:
        try:
            answer = await self._client.get(
                next(self._turn) + "/v1/bookings", params=params, headers={"authorization": authorization}
            )
            answer.raise_for_status()
            items: list[dict[str, Any]] = answer.json()["items"]
        except (httpx.HTTPError, OSError, TimeoutError, ValueError, KeyError, TypeError) as error:
            self._breaker.failed()
            raise BookingsUnavailable from error
        self._breaker.succeeded()
        return items

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
