"""Every query of the sender: what is due, and how it went."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.partner_webhooks.tables import webhook_delivery

LEASE = timedelta(seconds=60)
"""Longer than any call may take: who has not recorded an outcome by then has died."""

# One worker claims at a time (some milliseconds), so that the bound of each endpoint is one of all workers together.
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('webhook claims', 62))")
_CLAIM = text(
    """
WITH open AS (
  SELECT e.id, CASE WHEN e.failing_since IS NULL THEN CAST(:per_endpoint AS bigint) ELSE 1 END - (
    SELECT count(*) FROM webhook_delivery s
    WHERE s.endpoint_id = e.id AND s.state = 'sending' AND s.due_at > :now) AS free
  FROM webhook_endpoint e WHERE e.enabled AND EXISTS (
    SELECT 1 FROM webhook_delivery d
    WHERE d.endpoint_id = e.id AND d.state IN ('queued', 'sending') AND d.due_at <= :now)),
due AS (
  SELECT d.id FROM open CROSS JOIN LATERAL (
    SELECT w.id, w.due_at, row_number() OVER (ORDER BY w.due_at) AS turn FROM (
      SELECT id, due_at FROM webhook_delivery
      WHERE endpoint_id = open.id AND state IN ('queued', 'sending') AND due_at <= :now
      ORDER BY due_at LIMIT greatest(open.free, 0) FOR UPDATE SKIP LOCKED) w) d
  ORDER BY d.turn, d.due_at LIMIT :most),
taken AS (
  UPDATE webhook_delivery d SET state = 'sending', attempts = d.attempts + 1, due_at = :lease_until
  FROM due WHERE d.id = due.id RETURNING d.*)
SELECT t.id, t.endpoint_id, t.event_id, t.attempts, t.attempts - t.attempts_before AS tries, t.created_at,
  v.payload, e.url, e.secret_sealed, CASE WHEN e.previous_until > :now THEN e.previous_sealed END AS previous_sealed
FROM taken t JOIN webhook_event v ON v.id = t.event_id JOIN webhook_endpoint e ON e.id = t.endpoint_id
ORDER BY t.created_at, t.id
"""
)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery this worker holds until its lease ends."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    attempts: int
    tries: int
    created_at: datetime
    payload: str = field(repr=False)
    url: str = field(repr=False)
    secret_sealed: bytes = field(repr=False)
    previous_sealed: bytes | None = field(repr=False)


async def claim_due(session: AsyncSession, *, now: datetime, most: int, per_endpoint: int) -> list[Due]:
    """Take what is due, of each endpoint no more than may be under way: the first of every endpoint comes first."""
    await session.execute(_TURN)
    values = {"now": now, "lease_until": now + LEASE, "most": most, "per_endpoint": per_endpoint}
    return [Due(**row) for row in (await session.execute(_CLAIM, values)).mappings()]


async def settle(
    session: AsyncSession,
    due: Due,
    *,
    state: str,
    now: datetime,
    due_at: datetime,
    status: int | None,
    excerpt: str | None,
    error: str | None,
) -> bool:
    """Record how the attempt went; False when it is no longer ours (the lease ended, it was given up)."""
    mine = (webhook_delivery.c.state == "sending") & (webhook_delivery.c.attempts == due.attempts)
    statement = update(webhook_delivery).where(webhook_delivery.c.id == due.id, mine)
    statement = statement.values(
        state=state,
        due_at=due_at,
        settled_at=now if state in ("delivered", "dead") else None,
        response_status=status,
        response_excerpt=excerpt,
        last_error=error,
    )
    return (await session.execute(statement.returning(webhook_delivery.c.id))).first() is not None


async def succeeded_since(session: AsyncSession, endpoint_id: UUID, instant: datetime) -> bool:
    """Whether the endpoint took anything at all since then."""
    taken = (webhook_delivery.c.state == "delivered") & (webhook_delivery.c.settled_at >= instant)
    query = select(exists().where(webhook_delivery.c.endpoint_id == endpoint_id, taken))
    return bool((await session.execute(query)).scalar_one())
