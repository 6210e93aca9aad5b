"""End sessions, and let gateways know: a row in the feed with the commit, a push over Redis right after it."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.sessions import store
from auth_service.sessions.tables import Revocation, Session
from rihla.contracts.events import SessionEndedV1
from rihla.db.outbox import add_event
from rihla.telemetry import get_logger

log = get_logger(__name__)


async def end_sessions(
    session: AsyncSession, ended: Sequence[Session], *, reason: str, now: datetime
) -> list[Revocation]:
    """End these sessions in the caller's transaction; give the result to `RevocationPush.send` after the commit."""
    for row in ended:
        row.ended_at = now
        row.end_reason = reason
        event = SessionEndedV1(user_id=row.account_id, session_id=row.id, ended_at=now)
        await add_event(session, event, aggregate_id=row.id, sequence=1, now=now)
    return await store.add_revocations(session, "session", [row.id for row in ended], now)


async def end_all_sessions(
    session: AsyncSession, user_id: UUID, *, reason: str, now: datetime, but: UUID | None = None
) -> list[Revocation]:
    """End every session of a person but one."""
    live = await store.live_sessions(session, user_id, now, lock=True)
    return await end_sessions(session, [row for row in live if row.id != but], reason=reason, now=now)


class RevocationPush:
    """Publishes on `<namespace>:revocations`. A lost message is harmless: gateways also ask for the feed."""

    def __init__(self, redis: "Redis", *, namespace: str) -> None:
        self._redis = redis
        self._channel = f"{namespace}:revocations"

    async def send(self, revocations: Sequence[Revocation]) -> None:
        """Tell every gateway at once; while Redis is away they hear it from the feed within seconds."""
        try:
            for row in revocations:
                await self._redis.publish(self._channel, json.dumps(revocation_item(row)))
        except (RedisError, OSError) as error:
            log.warning("revocation_not_pushed", reason=type(error).__name__)


def revocation_item(row: Revocation) -> dict[str, object]:
    """One line of the feed as it travels."""
    at = row.at.isoformat().replace("+00:00", "Z")
    return {"seq": row.seq, "kind": row.kind, "id": str(row.subject_id), "at": at}
