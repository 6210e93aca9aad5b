"""The outbox: an event is stored in the transaction of the change it tells of, and a relay publishes it afterwards."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, MetaData, String, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.contracts.events import Envelope, EventData

OUTBOX_CHANNEL = "rihla_outbox"

INSERT_OUTBOX = (
    "INSERT INTO outbox (id, aggregate_id, sequence, type, envelope, created_at, next_attempt_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $6)"
)
"""The same row for paths on the bare driver: (event id, aggregate id, sequence, type, envelope JSON text, now)."""


def outbox_table(metadata: MetaData) -> Table:
    """The table `outbox`: rows stay until the broker confirmed them, failing ones stay visible with their error."""
    table = Table(
        "outbox",
        metadata,
        Column("position", BigInteger, Identity(), primary_key=True),
        Column("id", Uuid, nullable=False, unique=True),
        Column("aggregate_id", Uuid, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("type", String(80), nullable=False),
        Column("envelope", JSONB, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("next_attempt_at", DateTime(timezone=True), nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("last_error", Text),
    )
    Index("ix_outbox_aggregate_id_position", table.c.aggregate_id, table.c.position)
    return table


async def add_event(
    session: AsyncSession,
    event: EventData,
    *,
    aggregate_id: UUID,
    sequence: int,
    now: datetime,
    traceparent: str | None = None,
) -> Envelope:
    """Put `event` into the outbox, in the caller's transaction.

    `sequence` is the aggregate's own counter after the change. The relay is woken by NOTIFY at commit.
    """
    envelope = Envelope.of(event, subject=str(aggregate_id), sequence=sequence, time=now, traceparent=traceparent)
    row: dict[str, Any] = {
        "id": envelope.id,
        "aggregate_id": aggregate_id,
        "sequence": sequence,
        "type": envelope.type,
        "envelope": envelope.model_dump_json(),
        "now": now,
    }
    await session.execute(
        text(
            "INSERT INTO outbox (id, aggregate_id, sequence, type, envelope, created_at, next_attempt_at) "
            "VALUES (:id, :aggregate_id, :sequence, :type, CAST(:envelope AS jsonb), :now, :now)"
        ),
        row,
    )
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": OUTBOX_CHANNEL})
    return envelope


def envelope_json(envelope: Envelope) -> str:
    """The envelope as the text `INSERT_OUTBOX` takes."""
    return json.dumps(envelope.model_dump(mode="json"))
