"""One call of a partner's endpoint: bounded in time and in what is read, no redirect followed, no proxy, no cookies."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp

from notification_service.channels.asking import retry_after
from notification_service.partner_webhooks.addresses import Addresses, AddressRefused
from rihla.kernel import Clock

_EXCERPT: Final = 200
_MOST_READ: Final = 1024
_READING_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` None: there was none, `error` says why. `after` is how long the endpoint asks to be left alone."""

    status: int | None = None
    excerpt: str | None = None
    error: str | None = None
    after: timedelta | None = None


class Poster:
    """Must be made in a running event loop. A connection is used once: what was checked is what is called."""

    def __init__(self, addresses: Addresses, *, timeout_seconds: float, parallel: int, clock: Clock) -> None:
        self._timeout = timeout_seconds
        self._clock = clock
        connector = aiohttp.TCPConnector(
            resolver=addresses,
            socket_factory=addresses.open_socket,
            use_dns_cache=False,
            force_close=True,
            limit=parallel,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"User-Agent": "Rihla-Webhooks/1", "Content-Type": "application/json"},
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The endpoint's answer; every failure is an answer too."""
        try:
            async with asyncio.timeout(self._timeout):
                async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                    return await self._read(response)
        except TimeoutError:
            return Answer(error=f"no answer within {self._timeout:g} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(error=_reason(error))

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()

    async def _read(self, response: aiohttp.ClientResponse) -> Answer:
        status = response.status
        if 200 <= status < 300:
            return Answer(status)
        excerpt = await _excerpt(response)
        if 300 <= status < 400:
            return Answer(status, excerpt, "redirects are not followed")
        return Answer(
            status, excerpt, f"the endpoint answered {status}", retry_after(response.headers, self._clock.now())
        )


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """The beginning of the body, as one line of text."""
    found = b""
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(_READING_SECONDS):
            while len(found) < _MOST_READ and (chunk := await response.content.read(_MOST_READ - len(found))):
                found += chunk
    text = " ".join(found.decode("utf-8", "replace").split())
    return "".join(one if one.isprintable() else "?" for one in text)[:_EXCERPT]


def _reason(error: Exception) -> str:
    """In words that tell a partner what to mend, and nothing of our network."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, AddressRefused):
        return "the address is not on the public network"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name does not resolve"
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError)):
        return "the certificate or the TLS handshake was not accepted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no connection"
    return f"the connection broke off: {type(error).__name__}"
