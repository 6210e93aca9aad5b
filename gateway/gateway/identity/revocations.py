"""What has been revoked lately, checked on every request, cached tokens and open sockets included (house.md, section
3.9).

Two ways in: the Redis channel tells at once, and auth-service is asked every two seconds, so that a lost message or
a missing Redis costs at most that. An entry is kept a little longer than an access token can live; after that
nothing needs it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal

import msgspec

from gateway.identity.caller import Caller
from rihla.telemetry import get_logger

_log = get_logger(__name__)
KEEP_SECONDS = 20 * 60
"""Access tokens live ten minutes."""
OVERLAP = 50
"""Sequence numbers asked for again at each poll: a slow commit may surface a smaller number after a larger one."""
STALE_SECONDS = 5.0


class Revocation(msgspec.Struct, frozen=True):
    """One entry of `docs/contracts.md`; `at` is RFC 3339."""

    seq: int
    kind: Literal["session", "user", "api_key"]
    id: str
    at: datetime


class _Answer(msgspec.Struct):
    items: list[Revocation]
    last_seq: int


Fetch = Callable[[int], Awaitable[bytes]]
Listener = Callable[[Revocation], None]


class Revocations:
    """The local set. `loaded` after the first answer from auth-service; `age` is seconds since the last one."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._sessions: set[str] = set()
        self._keys: set[str] = set()
        self._users: dict[str, float] = {}
        self._seen: OrderedDict[int, tuple[float, Revocation]] = OrderedDict()
        self._last_seq = 0
        self._polled_at = float("-inf")
        self._listeners: list[Listener] = []
        self.loaded = False

    @property
    def age(self) -> float:
        """Seconds since auth-service last told us everything."""
        return time.monotonic() - self._polled_at

    def on_revoked(self, listener: Listener) -> None:
        """Call `listener` for every entry, once."""
        self._listeners.append(listener)

    def is_revoked(self, caller: Caller) -> bool:
        """Whether the credential behind `caller` was revoked after it was issued."""
        if caller.session_id in self._sessions or caller.key_id in self._keys:
            return True
        at = self._users.get(caller.user_id)
        return at is not None and concerns(at, caller)

    async def poll(self) -> None:
        """Ask auth-service for what is new; raises what the question raises."""
        after = max(0, self._last_seq - OVERLAP)
        while True:
            answer = msgspec.json.decode(await self._fetch(after), type=_Answer)
            for item in answer.items:
                self._add(item)
            self._last_seq = max(self._last_seq, answer.last_seq)
            if not answer.items or answer.last_seq <= after:
                break
            after = answer.last_seq  # the feed comes in pages
        self._polled_at = time.monotonic()
        self.loaded = True

    def heard(self, message: bytes) -> bool:
        """Take one pushed message; False when a number is missing before it, or it cannot be read (poll then)."""
        try:
            item = msgspec.json.decode(message, type=Revocation)
        except msgspec.DecodeError:
            _log.warning("revocation_not_readable")
            return False
        in_order = item.seq <= self._last_seq + 1
        self._add(item)
        if in_order:
            self._last_seq = max(self._last_seq, item.seq)
        return in_order

    async def run(self, stop: asyncio.Event, every: float) -> None:
        """Poll for ever; failures are logged once per spell."""
        failing = False
        while not stop.is_set():
            try:
                await self.poll()
                failing = False
            except Exception as error:
                if not failing:
                    _log.warning("revocations_not_polled", reason=repr(error))
                failing = True
            self._forget_old()
            try:
                await asyncio.wait_for(stop.wait(), every if self.loaded else min(every, 0.5))
            except TimeoutError:
                continue

    def _add(self, item: Revocation) -> None:
        if item.seq in self._seen:
            return
        self._seen[item.seq] = (time.monotonic(), item)
        if item.kind == "session":
            self._sessions.add(item.id)
        elif item.kind == "api_key":
            self._keys.add(item.id)
        else:
            self._users[item.id] = max(self._users.get(item.id, 0.0), item.at.timestamp())
        for listener in self._listeners:
            listener(item)

    def _forget_old(self) -> None:
        before = time.monotonic() - KEEP_SECONDS
        while self._seen:
            seq, (added, item) = next(iter(self._seen.items()))
            if added > before:
                return
            del self._seen[seq]
            self._sessions.discard(item.id)
            self._keys.discard(item.id)
            if self._users.get(item.id) == item.at.timestamp():
                del self._users[item.id]


def concerns(at: float, caller: Caller) -> bool:
    """Whether a user's revocation at `at` (Unix seconds) ends this credential.

    `iat` counts whole seconds, so within one second it cannot tell before from after. The session's id can: it is a
    UUIDv7 and carries the millisecond in which the person signed in. Someone who signs in right after a password
    reset stays signed in.
    """
    session = caller.principal.session_id
    if session is not None and session.version == 7 and (session.int >> 80) / 1000 >= at:
        return False
    return caller.issued_at <= at


def matches(item: Revocation, caller: Caller) -> bool:
    """Whether one entry ends this caller's credential (for sockets that are open)."""
    if item.kind == "session":
        return item.id == caller.session_id
    if item.kind == "api_key":
        return item.id == caller.key_id
    return item.id == caller.user_id and concerns(item.at.timestamp(), caller)


def describe(revocations: Revocations) -> dict[str, Any]:
    """For the readiness page."""
    if not revocations.loaded:
        return {"status": "failing", "detail": "not loaded yet"}
    if revocations.age > STALE_SECONDS:
        return {"status": "degraded", "detail": f"last heard {revocations.age:.0f} s ago"}
    return {"status": "ok"}
