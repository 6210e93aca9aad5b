"""The inbox: an event is handled once, because (consumer, event id) commits with its effect."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, Uuid, func, text
from sqlalchemy.ext.asyncio import AsyncSession


def inbox_table(metadata: MetaData) -> tuple[Table, Table]:
    """The tables `inbox` (events seen) and `inbox_sequence` (newest sequence seen of each aggregate)."""
    seen = Table(
        "inbox",
        metadata,
        Column("consumer", String(80), primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
    )
    sequences = Table(
        "inbox_sequence",
        metadata,
        Column("consumer", String(80), primary_key=True),
        Column("aggregate", String(120), primary_key=True),
        Column("sequence", BigInteger, nullable=False),
    )
    return seen, sequences


async def first_time(session: AsyncSession, *, consumer: str, event_id: UUID) -> bool:
    """Record the event for this consumer; False when it was there already. Part of the caller's transaction."""
    result = await session.execute(
        text("INSERT INTO inbox (consumer, event_id) VALUES (:consumer, :event_id) ON CONFLICT DO NOTHING RETURNING 1"),
        {"consumer": consumer, "event_id": event_id},
    )
    return result.first() is not None


async def new_among(session: AsyncSession, *, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Record the events for this consumer; those that were not there. Part of the caller's transaction.

    Taken in the order of their ids, so that two groups with the same events never wait for each other.
    """
    result = await session.execute(
        text(
            "INSERT INTO inbox (consumer, event_id) "
            "SELECT :consumer, event_id FROM unnest(CAST(:event_ids AS uuid[])) AS given (event_id) ORDER BY event_id "
            "ON CONFLICT DO NOTHING RETURNING event_id"
        ),
        {"consumer": consumer, "event_ids": list(event_ids)},
    )
    return set(result.scalars())


async def newest_so_far(session: AsyncSession, *, consumer: str, aggregate: str, sequence: int) -> bool:
    """Record the aggregate's sequence; False when this consumer has already seen one as new or newer."""
    result = await session.execute(
        text(
            "INSERT INTO inbox_sequence AS s (consumer, aggregate, sequence) VALUES (:consumer, :aggregate, :sequence) "
            "ON CONFLICT (consumer, aggregate) DO UPDATE SET sequence = excluded.sequence "
            "WHERE s.sequence < excluded.sequence RETURNING 1"
        ),
        {"consumer": consumer, "aggregate": aggregate, "sequence": sequence},
    )
    return result.first() is not None


async def forget_before(session: AsyncSession, *, instant: datetime, most: int | None = None) -> int:
    """Drop inbox rows received before `instant` (the broker redelivers for hours, never for months), `most` of them
    at a time.
    """
    result = await session.execute(
        text(
            "DELETE FROM inbox WHERE ctid = ANY(ARRAY("
            "SELECT ctid FROM inbox WHERE received_at < :instant LIMIT CAST(:most AS bigint)))"
        ),
        {"instant": instant, "most": most},
    )
    return int(getattr(result, "rowcount", 0) or 0)


__all__ = ["first_time", "forget_before", "inbox_table", "new_among", "newest_so_far"]
