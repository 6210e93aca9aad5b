"""Replies the desk keeps at hand, by language."""

from sqlalchemy import Column, DateTime, String, Table, Text, UniqueConstraint, Uuid

from chat_service.tables_base import metadata

canned_reply = Table(
    "canned_reply",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("shortcut", String(40), nullable=False),
    Column("language", String(35), nullable=False),
    Column("text", Text, nullable=False),
    Column("changed_by_id", Uuid, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("language", "shortcut"),
)
