"""What was asked of the assistant, and the buttons it offered."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, String, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chat_service.tables_base import metadata

assistant_turn = Table(
    "assistant_turn",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("language", String(35), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_assistant_turn_user_id_id", "user_id", "id"),
)

assistant_action = Table(
    "assistant_action",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("turn_id", Uuid, ForeignKey("assistant_turn.id"), nullable=False),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("result", JSONB),
)
