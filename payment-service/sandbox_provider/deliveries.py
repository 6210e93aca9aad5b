"""Webhooks out: signed, over HTTP, repeated with growing pauses until the customer answers 2xx."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import text

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


_TAKE = text(
    "WITH due AS (SELECT event_id, url FROM delivery WHERE next_attempt_at <= :now ORDER BY next_attempt_at LIMIT 50 "
    "FOR UPDATE SKIP LOCKED) "
    "UPDATE delivery d SET next_attempt_at = :lease FROM due JOIN event e ON e.id = due.event_id "
    "WHERE d.event_id = due.event_id AND d.url = due.url RETURNING d.event_id, d.url, d.attempts, e.body"
)
_NOTE = text(
    "UPDATE delivery d SET attempts = t.attempts, last_status = t.status, last_error = t.error, "
    "delivered_at = t.delivered_at, next_attempt_at = t.following "
    "FROM unnest(CAST(:event_ids AS text[]), CAST(:urls AS text[]), CAST(:attempts AS int[]), "
    "CAST(:statuses AS int[]), CAST(:errors AS text[]), CAST(:delivered AS timestamptz[]), "
    "CAST(:following AS timestamptz[])) "
    "AS t (event_id, url, attempts, status, error, delivered_at, following) "
    "WHERE d.event_id = t.event_id AND d.url = t.url"
)


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

    def __init__(self, db: Database, client: httpx.AsyncClient, settings: Settings, clock: Clock) -> None:
        self._db, self._client, self._settings, self._clock = db, client, settings, clock

    async def send_due(self) -> int:
        """Send up to 50 due deliveries at once and note how they went; how many were tried."""
        due = await self._take()
        if due:
            await self._note(await asyncio.gather(*(self._send(*row) for row in due)))
        return len(due)

    async def _take(self) -> list[tuple[str, str, int, dict[str, Any]]]:
        now = self._clock.now()
        lease = now + timedelta(seconds=2 * self._settings.webhook_timeout_seconds)
        async with self._db.transaction() as session:
            rows = await session.execute(_TAKE, {"now": now, "lease": lease})
            return [(row.event_id, row.url, row.attempts, row.body) for row in rows]

    async def _send(self, event_id: str, url: str, attempts: int, content: dict[str, Any]) -> Tried:
        body = json.dumps(content, separators=(",", ":")).encode()
        header = signature_header(
            body, timestamp=int(self._clock.now().timestamp()), secrets=self._settings.webhook_secrets
        )
        status, error = None, None
        try:
            answer = await self._client.post(
                url, content=body, headers={HEADER: header, "Content-Type": "application/json"}
            )
            status = answer.status_code
        except httpx.HTTPError as failure:
            error = type(failure).__name__
        return Tried(event_id, url, attempts + 1, status, error)

    async def _note(self, tried: Sequence[Tried]) -> None:
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
        values = {
            "event_ids": [one.event_id for one in tried],
            "urls": [one.url for one in tried],
            "attempts": [one.attempts for one in tried],
            "statuses": [one.status for one in tried],
            "errors": [one.error for one in tried],
            "delivered": [now if one.delivered else None for one in tried],
            "following": [self._again_at(one, now) for one in tried],
        }
        async with self._db.transaction() as session:
            await session.execute(_NOTE, values)

    def _again_at(self, one: Tried, now: datetime) -> datetime | None:
        if one.delivered or one.status == 410 or one.attempts >= self._settings.webhook_max_attempts:
            return None
        return now + pause_after(one.attempts)
