"""One HTTP call to a provider: a deadline, and an honest word for every way it can end."""

import asyncio
import json as jsonlib
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from payment_service.providers.interface import ProviderSilent
from rihla.telemetry import Counter, get_logger

_CALLS = Counter("rihla_provider_calls_total", "Calls to payment providers", ["provider", "outcome"])
_log = get_logger(__name__)


class ProviderHttp:
    """A client of one provider. Bodies are never logged: they may hold card data or tokens."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: dict[str, str],
        timeout: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self._timeout = timeout
        self._transport = transport or AiohttpTransport()
        self._client = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=timeout, transport=self._transport)

    async def send(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """The answer with a status below 500; ProviderSilent for everything else, and for 429."""
        try:
            async with asyncio.timeout(self._timeout):
                # The client makes the request, the transport carries it: redirects and cookies are for browsers.
                request = self._client.build_request(method, path, **kwargs)
                response = await self._transport.handle_async_request(request)
                await response.aread()
        except (httpx.HTTPError, aiohttp.ClientError, TimeoutError, OSError) as error:
            _CALLS.labels(self.name, "silent").inc()
            _log.warning("provider_silent", provider=self.name, error=type(error).__name__)
            raise ProviderSilent(self.name) from None
        if response.status_code >= 500 or response.status_code == 429:
            _CALLS.labels(self.name, "failing").inc()
            _log.warning("provider_failing", provider=self.name, status=response.status_code)
            raise ProviderSilent(self.name)
        _CALLS.labels(self.name, "answered").inc()
        return response

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; ProviderSilent when it is something else (a proxy's page, a cut body)."""
    try:
        found = jsonlib.loads(response.content)
    except ValueError:
        raise ProviderSilent("the answer is not JSON") from None
    if not isinstance(found, dict):
        raise ProviderSilent("the answer is not an object")
    return found
