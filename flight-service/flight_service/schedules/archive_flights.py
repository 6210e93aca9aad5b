"""Move flights of the past to history. Nothing that was sold is ever erased."""

from datetime import datetime, timedelta

from sqlalchemy import text

from rihla.db import Database

_BATCH = 500
# Its cabins go with it into the document; the inventory's own rows stay while holds refer to them.
_MOVE = text(
    """
WITH past AS (
    SELECT f.id FROM flight f WHERE f.arrival_at < :before ORDER BY f.arrival_at LIMIT :batch FOR UPDATE SKIP LOCKED
), kept AS (
    INSERT INTO flight_history (id, flight_number, origin, destination, local_date, document, archived_at)
    SELECT f.id, f.flight_number, f.origin, f.destination, f.local_date,
        to_jsonb(f) || jsonb_build_object('cabins', (
            SELECT jsonb_agg(to_jsonb(i)) FROM cabin_inventory i WHERE i.flight_id = f.id)), :now
    FROM flight f JOIN past USING (id) ON CONFLICT (id) DO NOTHING
)
DELETE FROM flight f USING past WHERE f.id = past.id
"""
)


async def archive_flights(db: Database, *, now: datetime, older_than: timedelta) -> int:
    """Archive one batch after another; the number of flights moved. Safe on several machines at once."""
    moved = 0
    while True:
        async with db.transaction() as session:
            values = {"before": now - older_than, "batch": _BATCH, "now": now}
            count: int = (await session.execute(_MOVE, values)).rowcount  # type: ignore[attr-defined]
        moved += count
        if count < _BATCH:
            return moved
