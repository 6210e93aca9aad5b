"""One HTTP call to a provider: a deadline, and an honest word for every way it can end."""

import asyncio
import json as jsonlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import httpx
import msgspec

from payment_service.providers.interface import ProviderSilent
from rihla.http.wire import wire
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
        self._base_url = base_url.rstrip("/")
        self._headers = headers
        self._wire = wire(transport)

    async def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer with a status below 500; ProviderSilent for everything else, and for 429.

        A body is `json`, or a form (`data`).
        """
        url = self._base_url + path + (f"?{urlencode(params)}" if params else "")
        content, kind = _body(json, data)
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._wire.send(method, url, {**self._headers, **kind, **(headers or {})}, content)
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
        await self._wire.close()


def _body(json: Any, data: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    """The body and the header that says what it is."""
    if json is not None:
        return msgspec.json.encode(json), {"Content-Type": "application/json"}
    if data is not None:
        return urlencode(data).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return None, {}


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; ProviderSilent when it is something else (a proxy's page, a cut body)."""
    try:
        found = jsonlib.loads(response.content)
    except ValueError:
        raise ProviderSilent("the answer is not JSON") from None
    if not isinstance(found, dict):
        raise ProviderSilent("the answer is not an object")
    return found
