"""A client for one other service: deadline, bounded retry of idempotent calls, breaker, service token.

Requests travel by aiohttp and are answered with httpx's response: httpx's own client costs several times as much a call
(docs/adr). A transport of httpx, given by argument, is the seam for tests.
"""

import asyncio
import itertools
import random
import time
from typing import Any

import aiohttp
import httpx
import msgspec
import structlog

from rihla.auth.principal import Principal
from rihla.auth.tokens import TokenSigner
from rihla.http.breaker import Breaker
from rihla.http.errors import UpstreamUnavailable
from rihla.http.wire import wire
from rihla.telemetry import Counter, Histogram
from rihla.tracing import current_traceparent, span

CALLS = Counter("rihla_client_calls_total", "Calls to other services", ["target", "outcome"])
SECONDS = Histogram(
    "rihla_client_call_seconds", "Time of a call", ["target"], buckets=(0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5)
)
_NOT_SENT = (aiohttp.ClientConnectorError, httpx.ConnectError, httpx.ConnectTimeout)


class ServiceClient:
    """Answers of every status below 500 are returned; raises UpstreamUnavailable when no usable answer came in time."""

    def __init__(
        self,
        base_urls: str,
        *,
        audience: str,
        signer: TokenSigner,
        timeout: float = 2.0,
        retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        urls = [url.strip().rstrip("/") for url in base_urls.split(",") if url.strip()]
        self._turn = itertools.cycle(urls or ["http://unset.invalid"])
        self._instances = len(urls)
        self._audience = audience
        self._signer = signer
        self._timeout = timeout
        self._retries = retries
        self.breaker = Breaker()
        self._wire = wire(transport)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: dict[str, Any] | None = None,
        idempotent: bool = False,
        principal: Principal | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """Call `path`, again when that is safe, within `timeout` seconds and at another instance if there is one.

        Safe is an `idempotent` call (every GET is one), and any call that found no connection and so never went out.
        """
        deadline = time.monotonic() + (timeout or self._timeout)
        repeatable = idempotent or method == "GET"
        tried: list[str] = []
        if json is not None:
            content = msgspec.json.encode(json)
        target = f"{path}?{httpx.QueryParams(params)}" if params else path
        headers = self._headers(principal, content)
        for attempt in range(1 + self._retries):
            if not self.breaker.allows():
                CALLS.labels(self._audience, "breaker_open").inc()
                raise self._unavailable()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            tried.append(self._another(tried))
            outcome = await self._once(method, tried[-1] + target, remaining, headers, content)
            if isinstance(outcome, httpx.Response):
                return outcome
            if not repeatable and not isinstance(outcome, _NOT_SENT):
                break
            if attempt < self._retries:
                pause = 0.05 * 2**attempt * random.uniform(0.5, 1.5)
                await asyncio.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        raise self._unavailable()

    def _another(self, tried: list[str]) -> str:
        """The next instance in turn that this call has not tried; when all were tried, the next in turn."""
        for _ in range(self._instances):
            url = next(self._turn)
            if url not in tried:
                return url
        return next(self._turn)

    def _unavailable(self) -> UpstreamUnavailable:
        return UpstreamUnavailable("Nothing is lost; try again in a moment.", upstream=self._audience)

    async def _once(
        self, method: str, url: str, remaining: float, headers: dict[str, str], content: bytes | None
    ) -> httpx.Response | Exception:
        """The answer, or why there is none."""
        outcome: httpx.Response | Exception
        started = time.monotonic()
        try:
            with span(f"{method} {self._audience}", "CLIENT", peer__service=f"rihla-{self._audience}"):
                async with asyncio.timeout(remaining):
                    outcome = await self._wire.send(method, url, _traced(headers), content)
            if outcome.status_code >= 500:
                outcome = UpstreamUnavailable("An error of the other service.", upstream=self._audience)
        except (aiohttp.ClientError, httpx.HTTPError, TimeoutError, OSError) as error:
            outcome = error
        finally:
            SECONDS.labels(self._audience).observe(time.monotonic() - started)
        if isinstance(outcome, Exception):
            self.breaker.failed()
            CALLS.labels(self._audience, "failed").inc()
        else:
            self.breaker.succeeded()
            CALLS.labels(self._audience, "answered").inc()
        return outcome

    def _headers(self, principal: Principal | None, content: bytes | None) -> dict[str, str]:
        headers = {"authorization": f"Bearer {self._signer.internal_token(self._audience, principal)}"}
        context = structlog.contextvars.get_contextvars()
        if request_id := context.get("request_id"):
            headers["x-request-id"] = str(request_id)
        if content is not None:
            headers["content-type"] = "application/json"
        return headers

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()


def _traced(headers: dict[str, str]) -> dict[str, str]:
    """The headers, with the span of this very try when there is one."""
    here = current_traceparent()
    return {**headers, "traceparent": here} if here else headers


def problem_code(response: httpx.Response) -> str:
    """The `code` of a problem document, or the empty string when the answer is something else."""
    try:
        document = response.json()
    except ValueError:
        return ""
    return str(document.get("code", "")) if isinstance(document, dict) else ""
