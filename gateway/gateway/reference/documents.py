"""The services' OpenAPI documents, fetched and fetched again; a service that is down keeps the last one it gave."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import aiohttp
import msgspec

from gateway.door.path_table import METHODS, MetricsOf, PathTable
from gateway.reference.join import Document, join
from gateway.routes import ROUTES, Route
from gateway.upstreams.pool import Upstream, Upstreams
from rihla.telemetry import get_logger

_log = get_logger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=5.0, sock_connect=1.0)
_SOON = 1.0


class Documents:
    """`table` is the path table made of what is known now; `joined` the public document as bytes."""

    def __init__(
        self, session: aiohttp.ClientSession, upstreams: Upstreams, metrics: MetricsOf, public_url: str, version: str,
        routes: tuple[Route, ...] = ROUTES,
    ) -> None:  # fmt: skip
        self._session = session
        self._upstreams = upstreams
        self._metrics = metrics
        self._public_url = public_url
        self._version = version
        self._routes = routes
        self._documents: dict[str, Document] = {}
        self._digests: dict[str, bytes] = {}
        self._joined: bytes | None = None
        self.table = PathTable(routes, {}, metrics)

    @property
    def missing(self) -> list[str]:
        """Deployed services that have not shown their document yet."""
        return [
            name
            for name, upstream in self._upstreams.by_name.items()
            if upstream.instances and name not in self._documents
        ]

    def joined(self) -> bytes:
        """The public OpenAPI document."""
        if self._joined is None:
            document = join(self._documents, lambda path: self.table.rows_of.get(path), self._public_url, self._version)
            self._joined = msgspec.json.encode(document)
        return self._joined

    async def refresh(self) -> None:
        """Ask every service once; rebuild if anything changed."""
        deployed = [upstream for upstream in self._upstreams.by_name.values() if upstream.instances]
        changed = await asyncio.gather(*(self._fetch(upstream) for upstream in deployed))
        if any(changed):
            self._rebuild()

    async def run(self, stop: asyncio.Event, every: float) -> None:
        """Keep the documents fresh; sooner while one is missing."""
        while not stop.is_set():
            await self.refresh()
            try:
                await asyncio.wait_for(stop.wait(), _SOON if self.missing else every)
            except TimeoutError:
                continue

    async def _fetch(self, upstream: Upstream) -> bool:
        for instance in upstream.instances:
            try:
                async with self._session.get(f"{instance.url}/openapi.json", timeout=_TIMEOUT) as answer:
                    if answer.status != 200:
                        continue
                    body = await answer.read()
            except (aiohttp.ClientError, OSError, TimeoutError):
                continue
            return self._take(upstream.name, body)
        return False

    def _take(self, name: str, body: bytes) -> bool:
        digest = hashlib.sha256(body).digest()
        if self._digests.get(name) == digest:
            return False
        try:
            document = msgspec.json.decode(body)
            public_methods(document)
        except (msgspec.DecodeError, AttributeError, TypeError) as error:
            _log.error("document_not_readable", upstream=name, reason=repr(error))
            return False
        self._documents[name] = document
        self._digests[name] = digest
        return True

    def _rebuild(self) -> None:
        paths = {name: public_methods(document) for name, document in self._documents.items()}
        self.table = PathTable(self._routes, paths, self._metrics)
        self._joined = None
        if self.table.unclaimed:
            _log.warning("paths_without_route", paths=self.table.unclaimed)


def public_methods(document: dict[str, Any]) -> dict[str, set[str]]:
    """Path template -> methods, without what is not meant for the public (`/internal`, health, metrics)."""
    return {
        path: {method.upper() for method in item} & METHODS
        for path, item in document["paths"].items()
        if path.startswith(("/v1/", "/.well-known/"))
    }
