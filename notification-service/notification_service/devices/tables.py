"""Push tokens. A token belongs to one device; the last user who signed in on it has it, until that session ends."""

from sqlalchemy import CheckConstraint, Column, DateTime, String, Table, Text, Uuid

from notification_service.tables_base import metadata

device = Table(
    "device",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("platform", String(10), nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("name", String(100)),
    Column("session_id", Uuid, index=True),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("platform IN ('android', 'ios', 'web')", name="platform"),
)
