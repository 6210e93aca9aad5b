"""Webhooks out: signed, over HTTP, repeated with growing pauses until the customer answers 2xx."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp
import httpx

from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import get_logger
from sandbox_provider.settings import Settings
from sandbox_provider.signing import HEADER, signature_header

_LONGEST_PAUSE = timedelta(hours=1)
_log = get_logger(__name__)


def pause_after(attempts: int) -> timedelta:
    """1 s, 2 s, 4 s, ... up to an hour, with a tenth of jitter."""
    seconds = min(2.0 ** (attempts - 1), _LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))


MOST_DELIVERED: Final = 50
_TOGETHER: Final = 20
"""Events in one webhook at most."""
_TAKE: Final = """
WITH due AS (SELECT event_id, url FROM delivery WHERE next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $3
  FOR UPDATE SKIP LOCKED)
UPDATE delivery d SET next_attempt_at = $2 FROM due JOIN event e ON e.id = due.event_id
WHERE d.event_id = due.event_id AND d.url = due.url RETURNING d.event_id, d.url, d.attempts, e.body::text"""
_NOTE: Final = """
UPDATE delivery d SET attempts = t.attempts, last_status = t.status, last_error = t.error,
  delivered_at = t.delivered_at, next_attempt_at = t.following
FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::timestamptz[], $7::timestamptz[])
  AS t (event_id, url, attempts, status, error, delivered_at, following)
WHERE d.event_id = t.event_id AND d.url = t.url"""


@dataclass(frozen=True, slots=True)
class Due:
    """An event that a customer has not confirmed. `body` is its JSON."""

    event_id: str
    url: str
    attempts: int
    body: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt and its answer: a status, or what went wrong on the way."""

    event_id: str
    url: str
    attempts: int
    status: int | None
    error: str | None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def parcels(due: Sequence[Due]) -> list[list[Due]]:
    """What travels together: fresh events for one customer. One that failed before goes alone and delays no other."""
    alone = [[one] for one in due if one.attempts]
    fresh: dict[str, list[Due]] = {}
    for one in due:
        if not one.attempts:
            fresh.setdefault(one.url, []).append(one)
    together = [many[at : at + _TOGETHER] for many in fresh.values() for at in range(0, len(many), _TOGETHER)]
    return together + alone


class Deliveries:
    """Sends what is due. Several processes may run it: rows are taken with SKIP LOCKED and leased."""

    def __init__(self, db: Database, transport: httpx.AsyncBaseTransport, settings: Settings, clock: Clock) -> None:
        self._db, self._transport, self._settings, self._clock = db, transport, settings, clock
        self._patience = {"timeout": httpx.Timeout(settings.webhook_timeout_seconds).as_dict()}

    async def send_due(self) -> int:
        """Send up to MOST_DELIVERED due deliveries together and note how they went; how many were tried."""
        pool = await self._db.asyncpg_pool()
        now = self._clock.now()
        lease = now + timedelta(seconds=2 * self._settings.webhook_timeout_seconds)
        due = [Due(*row) for row in await pool.fetch(_TAKE, now, lease, MOST_DELIVERED)]
        if due:
            sent = await asyncio.gather(*(self._send(parcel) for parcel in parcels(due)))
            await pool.execute(_NOTE, *self._columns([one for tried in sent for one in tried]))
        return len(due)

    async def _send(self, parcel: Sequence[Due]) -> list[Tried]:
        """One event is posted as an object, several as an array."""
        [url] = {one.url for one in parcel}
        bodies = [one.body for one in parcel]
        body = (bodies[0] if len(bodies) == 1 else f"[{','.join(bodies)}]").encode()
        header = signature_header(
            body, timestamp=int(self._clock.now().timestamp()), secrets=self._settings.webhook_secrets
        )
        headers = {HEADER: header, "Content-Type": "application/json"}
        status, error = None, None
        try:
            # The transport itself: nothing of what a client adds (redirects, cookies, sign-in) is wanted here.
            answer = await self._transport.handle_async_request(
                httpx.Request("POST", url, content=body, headers=headers, extensions=self._patience)
            )
            await answer.aread()
            status = answer.status_code
        except (httpx.HTTPError, aiohttp.ClientError) as failure:
            error = type(failure).__name__
        return [Tried(one.event_id, url, one.attempts + 1, status, error) for one in parcel]

    def _columns(self, tried: Sequence[Tried]) -> tuple[list[Any], ...]:
        now = self._clock.now()
        for one in tried:
            if not one.delivered:
                _log.warning(
                    "webhook_not_delivered",
                    event_id=one.event_id,
                    attempts=one.attempts,
                    status=one.status,
                    error=one.error,
                )
        return (
            [one.event_id for one in tried],
            [one.url for one in tried],
            [one.attempts for one in tried],
            [one.status for one in tried],
            [one.error for one in tried],
            [now if one.delivered else None for one in tried],
            [self._again_at(one, now) for one in tried],
        )

    def _again_at(self, one: Tried, now: datetime) -> datetime | None:
        if one.delivered or one.status == 410 or one.attempts >= self._settings.webhook_max_attempts:
            return None
        return now + pause_after(one.attempts)
