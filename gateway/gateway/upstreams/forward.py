"""Carrying one request to a service and its answer back."""

from __future__ import annotations

import asyncio
import time

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway import problems
from gateway.door.bodies import StreamedBody
from gateway.door.exchange import Exchange
from gateway.door.headers import back_to_client
from gateway.door.path_table import Operation
from gateway.problems import Header, Refused
from gateway.settings import Settings
from gateway.upstreams.connection import BrokenAnswer, Connection, NotSent, Unreached
from gateway.upstreams.connections import Connections, request_bytes
from gateway.upstreams.pool import Instance, Upstream
from rihla.telemetry import get_logger

_log = get_logger(__name__)
WHOLE = 256 * 1024
"""Bytes up to which an answer is read before it is sent on, which costs one write instead of several."""
_SAFE = frozenset({"GET", "HEAD"})
_UNREACHED = (
    aiohttp.ClientConnectorError,
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientOSError,
    aiohttp.ConnectionTimeoutError,
    Unreached,
)

Body = bytes | StreamedBody | None
Answer = Connection | aiohttp.ClientResponse
"""What the two clients give alike: status, raw_headers, content_length, read(), release() and pieces of the body."""


class Forwarder:
    """One per process. Nearly all goes over `connections`; `session` carries uploads that are still coming."""

    def __init__(self, session: aiohttp.ClientSession, connections: Connections, settings: Settings) -> None:
        self._session = session
        self._connections = connections
        self._connect = settings.connect_timeout
        self._send_timeout = settings.send_timeout
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}

    async def carry(
        self, exchange: Exchange, operation: Operation, upstream: Upstream, headers: list[tuple[str, str]], body: Body
    ) -> None:
        """Ask the service and answer the client. Raises `Refused` while nothing has been sent."""
        instance, answer = await self.ask(exchange, operation, upstream, headers, body)
        try:
            await self._relay(exchange, answer, upstream)
        finally:
            instance.leave()
            answer.release()

    async def ask(
        self, exchange: Exchange, operation: Operation, upstream: Upstream, headers: list[tuple[str, str]], body: Body
    ) -> tuple[Instance, Answer]:
        """The service's answer with its body still to be read; the caller must give the place and the answer back."""
        importance = operation.route.importance
        repeatable = operation.method in _SAFE and body is None
        several = len(upstream.instances) > 1
        tried: Instance | None = None
        for attempt in range(max(2, len(upstream.instances))):
            instance = await upstream.place(importance, tried)
            try:
                return instance, await self._try(exchange, operation, instance, headers, body, fresh=attempt > 0)
            except _UNREACHED as error:
                _stopped_by_client(body)
                self._note(upstream, instance, error)
                # What never left may go to another instance; what may have arrived goes only if it changes nothing.
                if not repeatable and not (several and isinstance(error, NotSent)):
                    break
                tried = instance if several else None
        raise upstream.unavailable()

    async def _try(
        self,
        exchange: Exchange,
        operation: Operation,
        instance: Instance,
        headers: list[tuple[str, str]],
        body: Body,
        *,
        fresh: bool,
    ) -> Answer:
        query = exchange.query
        target = exchange.path.decode() if not query else f"{exchange.path.decode()}?{query.decode('latin-1')}"
        seconds = operation.route.timeout
        instance.in_flight += 1
        started = time.perf_counter()
        answer: Answer
        try:
            if isinstance(body, StreamedBody):
                answer = await self._upload(operation.method, instance.url + target, headers, body, seconds)
            else:
                connections = self._connections
                host = connections.address(instance.url)[2]
                request = request_bytes(operation.method, target, host, headers, body)
                answer = await connections.take(instance.url, fresh=fresh)
                await answer.ask(request, seconds)
        except _UNREACHED:
            instance.leave()
            raise
        except TimeoutError:
            instance.leave()
            instance.breaker.failed()
            _stopped_by_client(body)
            raise Refused(
                problems.UPSTREAM_TIMEOUT, "The service did not answer in time; look before you repeat this."
            ) from None
        except (aiohttp.ClientError, BrokenAnswer) as error:
            instance.leave()
            _stopped_by_client(body)
            _log.warning("bad_upstream_answer", url=instance.url, reason=repr(error))
            raise Refused(problems.BAD_UPSTREAM_ANSWER, "The service's answer could not be read.") from None
        except BaseException:
            instance.leave()
            raise
        instance.breaker.succeeded()
        exchange.upstream_seconds = time.perf_counter() - started
        return answer

    async def _upload(
        self, method: str, url: str, headers: list[tuple[str, str]], body: StreamedBody, seconds: float
    ) -> aiohttp.ClientResponse:
        return await self._session.request(
            method,
            URL(url, encoded=True),
            headers=CIMultiDict(headers),
            data=body.pieces(),
            allow_redirects=False,
            timeout=self._timeout(seconds),
        )

    async def _relay(self, exchange: Exchange, answer: Answer, upstream: Upstream) -> None:
        headers = back_to_client(answer.raw_headers)
        length = answer.content_length
        if (length is not None and length <= WHOLE) or answer.status in (204, 304):
            await exchange.answer(
                answer.status, no_store_unless_said(headers, exchange), await read_whole(answer, upstream)
            )
            return
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        await exchange.begin(answer.status, no_store_unless_said(headers, exchange))
        async with asyncio.timeout(None) as patience:
            loop = asyncio.get_running_loop()
            pieces = answer.iter_any() if isinstance(answer, Connection) else answer.content.iter_any()
            async for piece in pieces:
                patience.reschedule(loop.time() + self._send_timeout)
                await exchange.piece(piece, True)
                patience.reschedule(None)
        await exchange.piece(b"", False)

    def _timeout(self, seconds: float) -> aiohttp.ClientTimeout:
        timeout = self._timeouts.get(seconds)
        if timeout is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._connect, sock_read=seconds)
            self._timeouts[seconds] = timeout
        return timeout

    @staticmethod
    def _note(upstream: Upstream, instance: Instance, error: Exception) -> None:
        instance.breaker.failed()
        if isinstance(error, NotSent):
            instance.well = False  # its readiness page says when it is back; until then the others go first
        _log.warning("upstream_not_reached", upstream=upstream.name, url=instance.url, reason=type(error).__name__)


async def read_whole(answer: Answer, upstream: Upstream) -> bytes:
    """A small answer's body. Raises `Refused` when it breaks off."""
    try:
        return await answer.read()
    except TimeoutError:
        raise Refused(
            problems.UPSTREAM_TIMEOUT, f"The {upstream.name} service stopped in the middle of its answer."
        ) from None
    except (aiohttp.ClientError, BrokenAnswer):
        raise Refused(problems.BAD_UPSTREAM_ANSWER, f"The {upstream.name} service broke off its answer.") from None


def no_store_unless_said(headers: list[Header], exchange: Exchange) -> list[Header]:
    """Answers to people are theirs alone unless the service says otherwise."""
    if exchange.caller is not None and exchange.caller.kind != "anonymous":
        for name, _ in headers:
            if name == b"cache-control":
                return headers
        headers.append((b"cache-control", b"no-store"))
    return headers


def _stopped_by_client(body: Body) -> None:
    """Raise what stopped a streamed body, if that is why the exchange with the service failed."""
    if isinstance(body, StreamedBody) and body.refused is not None:
        raise body.refused from None
