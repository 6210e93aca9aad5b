"""What people uploaded. A row is `pending` until its content was checked, and belongs to whoever began the upload."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    String,
    Table,
    Uuid,
    text,
)

from chat_service.tables_base import metadata

attachment = Table(
    "attachment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, nullable=False, index=True),
    # The traveller in whose conversation or ticket it was posted; the desk may see every attachment.
    Column("audience_id", Uuid),
    Column("kind", String(10), nullable=False),
    Column("media_type", String(60), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("file_name", String(120)),
    Column("state", String(10), nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration_seconds", Float),
    Column("has_thumbnail", Boolean, nullable=False, server_default=text("false")),
    Column("used_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("erase_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('pending', 'ready', 'refused', 'erased')", name="state"),
    CheckConstraint("kind IN ('image', 'voice', 'document')", name="kind"),
    CheckConstraint("size_bytes > 0", name="size"),
    Index("ix_attachment_unused", "created_at", postgresql_where=text("used_at IS NULL AND state <> 'erased'")),
)
