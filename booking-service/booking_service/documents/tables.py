"""Jobs that make documents, and the documents that were made. The bytes are in the object store."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from booking_service.tables_base import metadata

Instant = DateTime(timezone=True)

document_job = Table(
    "document_job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("cause", String(20), nullable=False),
    Column("orders", JSONB, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # When it may be taken (queued), or when its worker is given up for dead (working).
    Column("due_at", Instant, nullable=False),
    Column("last_error", Text),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    CheckConstraint("state IN ('queued', 'working', 'done', 'failed')", name="state"),
    Index("ix_document_job_due", "due_at", postgresql_where=text("state IN ('queued', 'working')")),
)

document = Table(
    "document",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id", ondelete="CASCADE"), nullable=False),
    Column("job_id", Uuid, ForeignKey("document_job.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("version", Integer, nullable=False),
    Column("media_type", String(60), nullable=False),
    Column("name", String(120), nullable=False),
    Column("storage_key", String(512), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("passenger_id", Uuid),
    Column("flight_id", Uuid),
    Column("made_at", Instant, nullable=False),
    Column("voided_at", Instant),
    CheckConstraint("kind IN ('ticket', 'receipt', 'refund_receipt', 'boarding_pass')", name="kind"),
    UniqueConstraint("booking_id", "kind", "subject", "media_type", "version"),
)
