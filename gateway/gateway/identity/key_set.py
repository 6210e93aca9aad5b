"""auth-service's public keys, kept through its absences."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.identity.access_token import PublicKey, UnknownKey
from rihla.telemetry import get_logger

_log = get_logger(__name__)
FETCH_FLOOR_SECONDS = 2.0
"""Unknown key ids cause at most one question in this time, whoever invents them."""
REFRESH_SECONDS = 60.0

Fetch = Callable[[], Awaitable[dict[str, Any]]]


class KeySet:
    """`ready` once keys have been seen. Keys that disappear from the published set are forgotten at the next
    refresh."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._keys: dict[str, PublicKey] = {}
        self._published: dict[str, dict[str, Any]] = {}
        self.withdrawals = 0
        """How often a key went or changed; what was verified before may rest on it and is verified again."""
        self._last_try = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether any key is known."""
        return bool(self._keys)

    def key(self, kid: str) -> PublicKey:
        """The key called `kid`. Raises `UnknownKey`."""
        found = self._keys.get(kid)
        if found is None:
            raise UnknownKey(kid)
        return found

    async def refresh_for_unknown(self) -> None:
        """Ask again because a token names an unknown key, unless we have just asked."""
        if self._refreshing is None or self._refreshing.done():
            if time.monotonic() - self._last_try < FETCH_FLOOR_SECONDS:
                return
            self._refreshing = asyncio.create_task(self.refresh())
        await asyncio.shield(self._refreshing)

    async def refresh(self) -> None:
        """Fetch once; on failure the keys we have stay in use."""
        self._last_try = time.monotonic()
        try:
            document = await self._fetch()
            published = {str(jwk["kid"]): jwk for jwk in document["keys"] if jwk.get("kty") == "EC"}
            keys = {kid: PublicKey(jwk) for kid, jwk in published.items()}
        except Exception as error:
            _log.warning("jwks_not_fetched", reason=repr(error))
            return
        if keys:
            self.withdrawals += any(published.get(kid) != jwk for kid, jwk in self._published.items())
            self._keys, self._published = keys, published

    async def run(self, stop: asyncio.Event) -> None:
        """Refresh every minute, and every second until the first success."""
        while not stop.is_set():
            await self.refresh()
            delay = REFRESH_SECONDS if self.ready else 1.0
            try:
                await asyncio.wait_for(stop.wait(), delay)
            except TimeoutError:
                continue
