"""Webhooks out: signed, over HTTP, repeated with growing pauses until the customer answers 2xx."""

import asyncio
import json
import random
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select, update

from rihla.db import Database
from rihla.kernel import Clock
from rihla.telemetry import get_logger
from sandbox_provider import tables
from sandbox_provider.settings import Settings
from sandbox_provider.signing import HEADER, signature_header

_LONGEST_PAUSE = timedelta(hours=1)
_log = get_logger(__name__)


def pause_after(attempts: int) -> timedelta:
    """1 s, 2 s, 4 s, ... up to an hour, with a tenth of jitter."""
    seconds = min(2.0 ** (attempts - 1), _LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))


class Deliveries:
    """Sends what is due. Several processes may run it: rows are taken with SKIP LOCKED and leased."""

    def __init__(self, db: Database, client: httpx.AsyncClient, settings: Settings, clock: Clock) -> None:
        self._db, self._client, self._settings, self._clock = db, client, settings, clock

    async def send_due(self) -> int:
        """Send up to 50 due deliveries at once; how many were tried."""
        due = await self._take()
        await asyncio.gather(*(self._send(*row) for row in due))
        return len(due)

    async def _take(self) -> list[tuple[str, str, int, dict[str, Any]]]:
        now = self._clock.now()
        delivery, event = tables.delivery, tables.event
        async with self._db.transaction() as session:
            rows = (
                await session.execute(
                    select(delivery.c.event_id, delivery.c.url, delivery.c.attempts, event.c.body)
                    .join(event, event.c.id == delivery.c.event_id)
                    .where(delivery.c.next_attempt_at <= now)
                    .order_by(delivery.c.next_attempt_at)
                    .limit(50)
                    .with_for_update(of=delivery, skip_locked=True)
                )
            ).all()
            lease = now + timedelta(seconds=2 * self._settings.webhook_timeout_seconds)
            for row in rows:
                await session.execute(
                    update(delivery)
                    .where(delivery.c.event_id == row.event_id, delivery.c.url == row.url)
                    .values(next_attempt_at=lease)
                )
        return [(row.event_id, row.url, row.attempts, row.body) for row in rows]

    async def _send(self, event_id: str, url: str, attempts: int, content: dict[str, Any]) -> None:
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
        await self._note(event_id, url, attempts + 1, status, error)

    async def _note(self, event_id: str, url: str, attempts: int, status: int | None, error: str | None) -> None:
        now = self._clock.now()
        delivered = status is not None and 200 <= status < 300
        following: datetime | None = None
        if not delivered and attempts < self._settings.webhook_max_attempts and status != 410:
            following = now + pause_after(attempts)
        if not delivered:
            _log.warning("webhook_not_delivered", event_id=event_id, attempts=attempts, status=status, error=error)
        async with self._db.transaction() as session:
            await session.execute(
                update(tables.delivery)
                .where(tables.delivery.c.event_id == event_id, tables.delivery.c.url == url)
                .values(
                    attempts=attempts,
                    last_status=status,
                    last_error=error,
                    delivered_at=now if delivered else None,
                    next_attempt_at=following,
                )
            )
