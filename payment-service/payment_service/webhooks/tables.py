"""What providers have told us, each event once."""

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from payment_service.database import metadata

provider_event = Table(
    "provider_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column(
        "facts",
        JSONB,
        nullable=False,
        comment="the signed fields we use; never a card number, and once it is handled nothing of a person",
    ),
    Column("status", Text, nullable=False, comment="pending, handled or ignored"),
    Column("note", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("handled_at", DateTime(timezone=True)),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("provider", "event_id"),
    Index("ix_provider_event_pending", "next_attempt_at", postgresql_where=text("status = 'pending'")),
)
