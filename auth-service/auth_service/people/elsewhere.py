"""What other services keep of a person, read by their public operations with that person's own token.

Only the gateway speaks for people, so this service cannot make such tokens: with a request for the export the gateway
sends one for each service that is asked, good for reading alone and for a minute (docs/adr/0004). Nobody can therefore
read through here what they could not read there.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
from httpx_aiohttp import AiohttpTransport

_PAGE = "100"
_MOST_PAGES = 100


class NotRead(Exception):
    """The service does not answer, or no token for it came along."""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of data: a list of `service`, and for each item what lies `below` it as a list of its own. Where
    `whole`, no list but one document, given as a list of one."""

    name: str
    service: str
    path: str
    below: str = ""
    whole: bool = False


PARTS: Final = (
    Part("bookings", "booking", "/v1/bookings"),
    Part("payments", "payment", "/v1/payments"),
    Part("wallet_entries", "payment", "/v1/wallet/entries"),
    Part("subscriptions", "payment", "/v1/subscriptions"),
    Part("saved_cards", "payment", "/v1/payment-methods"),
    Part("notifications", "notification", "/v1/notifications"),
    Part("notification_preferences", "notification", "/v1/notifications/preferences", whole=True),
    Part("devices", "notification", "/v1/devices"),
    Part("conversations", "chat", "/v1/chat/conversations", below="messages"),
    Part("support_tickets", "chat", "/v1/support/tickets"),
    Part("callbacks", "chat", "/v1/support/callbacks"),
)


def header_of(service: str) -> str:
    """The request header in which the gateway hands on a token for `service`."""
    return f"x-internal-{service}-authorization"


class Elsewhere:
    """Reads, and has no way to change anything."""

    def __init__(
        self, urls: Mapping[str, str], *, timeout: float = 5.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._turns = {
            name: itertools.cycle([url.strip().rstrip("/") for url in listed.split(",") if url.strip()])
            for name, listed in urls.items()
            if listed
        }
        self._client = httpx.AsyncClient(transport=transport or AiohttpTransport(), timeout=timeout, trust_env=False)

    async def read(self, part: Part, headers: Mapping[str, str]) -> list[dict[str, Any]]:
        """Everything of one part. `headers` are those of the person's own request. Raises NotRead."""
        token = headers.get(header_of(part.service))
        if not token:
            raise NotRead(part.service)
        if part.whole:
            return [await self._page(part.service, part.path, {}, token)]
        items = await self._every_page(part.service, part.path, token)
        if part.below:
            for item in items:
                item[part.below] = await self._every_page(part.service, f"{part.path}/{item['id']}/{part.below}", token)
        return items

    async def _every_page(self, service: str, path: str, token: str) -> list[dict[str, Any]]:
        params, items = {"limit": _PAGE}, []
        for _ in range(_MOST_PAGES):
            page = await self._page(service, path, params, token)
            if "items" not in page:
                raise NotRead(service)
            items += page["items"]
            if not page.get("next_cursor"):
                return items
            params = {"limit": _PAGE, "cursor": page["next_cursor"]}
        raise NotRead(service)

    async def _page(self, service: str, path: str, params: dict[str, str], token: str) -> dict[str, Any]:
        try:
            url = next(self._turns[service]) + path
            answer = await self._client.get(url, params=params, headers={"authorization": token})
            answer.raise_for_status()
            page: dict[str, Any] = answer.json()
        except (httpx.HTTPError, OSError, TimeoutError, ValueError, KeyError, StopIteration) as error:
            raise NotRead(service) from error
        return page

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
