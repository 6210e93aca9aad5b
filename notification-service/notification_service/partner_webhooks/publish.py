"""Turn facts into messages, and each message into a delivery for every endpoint that wants it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.driver import driver_of
from rihla.kernel import new_id

# Shared with other facts, but not with whoever disables or removes the endpoint: nothing is queued behind their back.
_WANTED = """
SELECT e.id, e.organisation_id, e.test_mode, e.event_types FROM webhook_endpoint e
WHERE e.enabled AND e.organisation_id = ANY($1) AND e.event_types && $2 ORDER BY e.id FOR SHARE
"""
_TELL = """
WITH told AS (
  INSERT INTO webhook_event (id, organisation_id, fact, type, payload, created_at)
  SELECT g.*, $6 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS g
  ON CONFLICT (fact) DO NOTHING RETURNING id)
INSERT INTO webhook_delivery (id, event_id, endpoint_id, state, due_at, created_at)
SELECT d.id, d.event_id, d.endpoint_id, 'queued', $6, $6
FROM unnest($7::uuid[], $8::uuid[], $9::uuid[]) AS d (id, event_id, endpoint_id) JOIN told ON told.id = d.event_id
ON CONFLICT (event_id, endpoint_id) DO NOTHING
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Message:
    """Something an organisation may hear. `fact` always names the same thing in the same way: it is told once."""

    organisation_id: UUID
    test_mode: bool
    fact: str
    type: str
    occurred_at: datetime
    data: Mapping[str, Any]


async def publish(session: AsyncSession, messages: Sequence[Message], now: datetime) -> list[UUID]:
    """Queue what endpoints want to hear, in the caller's transaction; the ids of the new deliveries."""
    if not messages:
        return []
    connection = await driver_of(session)
    organisations = list({one.organisation_id for one in messages})
    wanted = await connection.fetch(_WANTED, organisations, list({one.type for one in messages}))
    pairs = [
        (message, row["id"])
        for message in messages
        for row in wanted
        if (row["organisation_id"], row["test_mode"]) == (message.organisation_id, message.test_mode)
        and message.type in row["event_types"]
    ]
    return await tell(session, pairs, now)


async def tell(session: AsyncSession, pairs: Sequence[tuple[Message, UUID]], now: datetime) -> list[UUID]:
    """Queue these messages for these endpoints; a fact that was told before makes nothing."""
    if not pairs:
        return []
    events = {message.fact: (new_id(), message) for message, _ in pairs}
    connection = await driver_of(session)
    rows = await connection.fetch(
        _TELL,
        [event_id for event_id, _ in events.values()],
        [message.organisation_id for _, message in events.values()],
        [message.fact for _, message in events.values()],
        [message.type for _, message in events.values()],
        [_payload(event_id, message) for event_id, message in events.values()],
        now,
        [new_id() for _ in pairs],
        [events[message.fact][0] for message, _ in pairs],
        [endpoint_id for _, endpoint_id in pairs],
    )
    return [row["id"] for row in rows]


def _payload(event_id: UUID, message: Message) -> str:
    """Ids, a state and a link: whoever wants to know more asks with their key, and nobody else learns anything."""
    return json.dumps(
        {
            "id": str(event_id),
            "type": message.type,
            "timestamp": message.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "mode": "test" if message.test_mode else "live",
            "data": dict(message.data),
        },
        separators=(",", ":"),
    )
