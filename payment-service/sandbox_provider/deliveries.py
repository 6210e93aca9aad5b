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
        due = await pool.fetch(_TAKE, now, lease, MOST_DELIVERED)
        if due:
            tried = await asyncio.gather(*(self._send(*row) for row in due))
            await pool.execute(_NOTE, *self._columns(tried))
        return len(due)

    async def _send(self, event_id: str, url: str, attempts: int, content: str) -> Tried:
        body = content.encode()
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
        return Tried(event_id, url, attempts + 1, status, error)

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
