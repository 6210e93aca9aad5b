"""Partner keys, exchanged at auth-service and remembered for less than the time a revocation may take."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from uuid import UUID

from gateway.identity.auth_client import AuthClient, ExchangedKey
from gateway.identity.caller import Caller
from rihla.auth import Principal

_SHAPE = re.compile(r"rk_(?:test|live)_[A-Za-z0-9_\-]{8,200}")
_MOST_KEPT = 20_000


class ApiKeys:
    """Callers by key. Wrong keys are remembered too, so that guessing costs auth-service little."""

    def __init__(self, auth: AuthClient, seconds: float) -> None:
        self._auth = auth
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[float, Caller | None]] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Caller | None]] = {}

    async def caller(self, key: str) -> Caller | None:
        """Whom the key speaks for, or None. Raises `AuthUnavailable`."""
        if not _SHAPE.fullmatch(key):
            return None
        digest = hashlib.sha256(key.encode()).digest()
        kept = self._known.get(digest)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        asking = self._asking.get(digest)
        if asking is None:
            asking = self._asking[digest] = asyncio.create_task(self._exchange(digest, key))
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(asking)

    async def _exchange(self, digest: bytes, key: str) -> Caller | None:
        asked_at = time.monotonic()
        exchanged = await self._auth.exchange(key)
        caller = _caller(exchanged) if exchanged is not None else None
        before = self._known.pop(digest, None)
        if caller is not None and before is not None and _same(before[1], caller):
            caller = before[1]  # keeps its internal tokens
        self._known[digest] = (asked_at + self._seconds, caller)
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return caller


def _same(before: Caller | None, now: Caller) -> bool:
    return before is not None and before.principal == now.principal and before.per_minute == now.per_minute


def _caller(exchanged: ExchangedKey) -> Caller:
    principal = Principal(
        kind="partner",
        issuer="gateway",
        subject=UUID(exchanged.user_id),
        roles=frozenset(exchanged.roles),
        organisation_id=UUID(exchanged.organisation_id) if exchanged.organisation_id else None,
        key_id=UUID(exchanged.key_id),
        scopes=frozenset(exchanged.scopes),
        test_mode=exchanged.test_mode,
        unpaid_bookings=exchanged.unpaid_bookings,
    )
    # A key has no time of issue here: a revocation of its user is enforced by the exchange, within the same five
    # seconds.
    return Caller(principal, issued_at=float("inf"), per_minute=exchanged.rate_limit_per_minute)
