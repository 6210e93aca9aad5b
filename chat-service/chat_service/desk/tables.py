"""Who works at the desk (learned when they use it), and who is online where."""

from sqlalchemy import Boolean, Column, DateTime, Index, PrimaryKeyConstraint, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from chat_service.tables_base import metadata

colleague = Table(
    "colleague",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("languages", ARRAY(String(35)), nullable=False, server_default=text("'{en}'")),
    Column("available", Boolean, nullable=False, server_default=text("true")),
    Column("last_used_at", DateTime(timezone=True), nullable=False),
)

presence = Table(
    "presence",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("instance_id", Uuid, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    # Online until then unless the instance says so again: a killed instance leaves nobody online for ever.
    Column("online_until", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("user_id", "instance_id"),
    Index("ix_presence_seen_at", "seen_at"),
)
