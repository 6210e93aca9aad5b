"""Documents of bookings: remember what is ready, and let the mails go that waited for it."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.driver import driver_of
from rihla.contracts.events.booking import DocumentFact

_REMEMBER = """
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(CAST($1::uuid AS text), 77)))
INSERT INTO trip_document (booking_id, cause, sequence, document, storage_key, received_at)
SELECT $1, $2, $3, given.document::jsonb, given.storage_key, $6
FROM turn CROSS JOIN unnest($4::text[], $5::text[]) AS given (document, storage_key)
ON CONFLICT DO NOTHING
"""
_RELEASE = (
    "UPDATE delivery SET state = 'queued', due_at = $4 "
    "WHERE booking_id = $1 AND state = 'waiting' AND waits_for = $2 AND waits_after < $3"
)


async def remember_documents(
    session: AsyncSession,
    booking_id: UUID,
    cause: str,
    documents: Sequence[DocumentFact],
    *,
    sequence: int,
    now: datetime,
) -> None:
    """Keep what is ready and queue the mails that waited for it.

    Two statements: the second one must see what was committed while the first waited for the booking's turn.
    """
    connection = await driver_of(session)
    papers = [json.dumps(one.model_dump(mode="json")) for one in documents]
    keys = [one.storage_key for one in documents]
    await connection.execute(_REMEMBER, booking_id, cause, sequence, papers, keys, now)
    await connection.execute(_RELEASE, booking_id, cause, sequence, now)
