"""Where settings become clients and caches, and where the gateway's background loops run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from redis.asyncio import Redis

from gateway.catalogue.answers import KeptAnswers
from gateway.door.cors import Cors
from gateway.door.maintenance import Maintenance
from gateway.identity.access_tokens import AccessTokens
from gateway.identity.api_keys import ApiKeys
from gateway.identity.auth_client import AuthClient
from gateway.identity.authenticate import Authenticator
from gateway.identity.internal_tokens import InternalTokens
from gateway.identity.key_set import KeySet
from gateway.identity.revocation_channel import listen
from gateway.identity.revocations import Revocations
from gateway.limits.limiter import Limiter
from gateway.limits.quotas import Quotas
from gateway.limits.shared_buckets import SharedBuckets, connect
from gateway.reference.documents import Documents
from gateway.routes import ROUTES, Route
from gateway.settings import Settings
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.route_metrics import RouteMetrics
from gateway.upstreams.connections import Connections
from gateway.upstreams.forward import Forwarder
from gateway.upstreams.pool import Upstreams
from gateway.upstreams.websockets import OpenSockets
from rihla.auth import TokenSigner
from rihla.ending import end
from rihla.kernel import Clock, SystemClock
from rihla.telemetry import get_logger

VERSION = "1.0.0"
_STOP_SECONDS = 0.1
"""Loops that wait for something else are cancelled after this; none of them holds anything that could be lost."""
_KEEP_ALIVE_SECONDS = 3.0
"""Less than the five seconds after which uvicorn closes an idle connection, so that we never write into a closing
one."""
_log = get_logger(__name__)
Loop = Callable[[asyncio.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Container:
    """Everything a request needs."""

    settings: Settings
    session: aiohttp.ClientSession
    connections: Connections
    redis: Redis
    upstreams: Upstreams
    keys: KeySet
    revocations: Revocations
    authenticator: Authenticator
    internal_tokens: InternalTokens
    quotas: Quotas
    buckets: SharedBuckets
    limiter: Limiter
    paths: Documents
    forwarder: Forwarder
    kept_answers: KeptAnswers
    open_sockets: OpenSockets
    maintenance: Maintenance
    cors: Cors
    metrics: RouteMetrics
    access_log: AccessLog
    own_paths: frozenset[bytes]


@asynccontextmanager
async def open_container(
    settings: Settings, clock: Clock, own_paths: frozenset[bytes], routes: tuple[Route, ...] = ROUTES
) -> AsyncIterator[Container]:
    """Build everything, run the loops while the block lasts, close everything."""
    session = open_session()
    redis = connect(settings.redis_url, settings.redis_timeout)
    listener = Redis.from_url(settings.redis_url, socket_connect_timeout=2.0, health_check_interval=5, protocol=2)
    container = build(settings, clock, session, redis, own_paths, routes)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(forever(loop, stop)) for loop in loops(container, listener)]
    try:
        await _first_look(container)
        yield container
    finally:
        stop.set()
        container.open_sockets.close_all()
        _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
        await end(late)
        await asyncio.gather(*tasks, return_exceptions=True)
        container.connections.close()
        await session.close()
        await redis.aclose()
        await listener.aclose()


def open_session() -> aiohttp.ClientSession:
    """The client of the proxied path: answers as they come, no cookies, no redirects, no headers of its own."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS, ttl_dns_cache=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        read_bufsize=64 * 1024,
        max_line_size=16 * 1024,
        max_field_size=16 * 1024,
    )


def build(
    settings: Settings,
    clock: Clock,
    session: aiohttp.ClientSession,
    redis: Redis,
    own_paths: frozenset[bytes],
    routes: tuple[Route, ...],
) -> Container:
    """The container, not yet loaded."""
    signer = TokenSigner(settings.service_key.get_secret_value())
    connections = Connections(_KEEP_ALIVE_SECONDS, settings.connect_timeout)
    auth = AuthClient(session, settings.addresses_of("auth"), signer)
    upstreams, metrics = Upstreams.of(settings), RouteMetrics()
    keys, revocations = KeySet(auth.jwks), Revocations(auth.revocations)
    wall = time.time if isinstance(clock, SystemClock) else lambda: clock.now().timestamp()
    tokens = AccessTokens(keys, revocations, settings.issuer, settings.token_audience, wall)
    buckets = SharedBuckets(redis, settings.namespace)
    sockets = OpenSockets()
    revocations.on_revoked(sockets.on_revoked)
    return Container(
        settings=settings,
        session=session,
        connections=connections,
        redis=redis,
        upstreams=upstreams,
        keys=keys,
        revocations=revocations,
        authenticator=Authenticator(tokens, ApiKeys(auth, settings.api_key_seconds), revocations),
        internal_tokens=InternalTokens(signer),
        quotas=Quotas(settings),
        buckets=buckets,
        limiter=Limiter(buckets, settings.limit_lease),
        paths=Documents(session, upstreams, metrics.of, settings.public_url, VERSION, routes),
        forwarder=Forwarder(session, connections, settings),
        kept_answers=KeptAnswers(),
        open_sockets=sockets,
        maintenance=Maintenance(settings.maintenance, redis, settings.namespace),
        cors=Cors(settings.allowed_origins),
        metrics=metrics,
        access_log=AccessLog(enabled=settings.access_log),
        own_paths=own_paths,
    )


def loops(c: Container, listener: Redis) -> list[Loop]:
    """What runs beside the requests."""
    settings = c.settings
    channel = f"{settings.namespace}:revocations"
    return [
        c.keys.run,
        lambda stop: c.revocations.run(stop, settings.revocation_poll_seconds),
        lambda stop: listen(listener, channel, c.revocations, stop),
        lambda stop: c.paths.run(stop, settings.documents_seconds),
        lambda stop: c.upstreams.run(c.session, stop, settings.probe_seconds),
        c.maintenance.run,
        c.access_log.run,
    ]


async def forever(loop: Loop, stop: asyncio.Event) -> None:
    """Run a loop again when it breaks, until `stop`."""
    while not stop.is_set():
        try:
            await loop(stop)
        except Exception as error:
            _log.error("loop_broke", exc_info=error)
            await asyncio.sleep(1.0)


async def _first_look(c: Container) -> None:
    """Give the loops a moment, so that a gateway that starts after its services knows their paths at the first
    request."""
    try:
        async with asyncio.timeout(3.0):
            await c.maintenance.look()
            # Three loops finish on their own; asking now and then is simpler than an event for each, and only
            # happens here.
            while c.paths.missing or not (c.keys.ready and c.revocations.loaded):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        _log.warning("started_without", documents=c.paths.missing, keys=c.keys.ready, revocations=c.revocations.loaded)
