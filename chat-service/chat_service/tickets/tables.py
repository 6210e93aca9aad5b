"""Support tickets, what was said in them, and every change of their state."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from chat_service.tables_base import metadata

ticket = Table(
    "ticket",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(start=100_001), nullable=False, unique=True),
    Column("user_id", Uuid),
    # Who wrote by mail without an account; empty for people who have one.
    Column("requester_email", String(320)),
    Column("client_id", String(64)),
    Column("category", String(20), nullable=False),
    Column("priority", String(10), nullable=False),
    Column("status", String(12), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("language", String(35), nullable=False),
    Column("booking_reference", String(6)),
    Column("assignee_id", Uuid, index=True),
    Column("response_due_at", DateTime(timezone=True), nullable=False),
    Column("resolution_due_at", DateTime(timezone=True), nullable=False),
    Column("responded_at", DateTime(timezone=True)),
    Column("response_breached_at", DateTime(timezone=True)),
    Column("resolution_breached_at", DateTime(timezone=True)),
    Column("resolved_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("reopened", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("user_id", "client_id"),
    CheckConstraint("status IN ('open', 'in_progress', 'resolved', 'closed')", name="status"),
    CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="priority"),
    Index("ix_ticket_user_id_id", "user_id", "id"),
    Index("ix_ticket_status_id", "status", "id"),
    Index(
        "ix_ticket_response_due",
        "response_due_at",
        postgresql_where=text("responded_at IS NULL AND response_breached_at IS NULL"),
    ),
    Index(
        "ix_ticket_resolution_due",
        "resolution_due_at",
        postgresql_where=text("resolved_at IS NULL AND resolution_breached_at IS NULL"),
    ),
)

ticket_message = Table(
    "ticket_message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("author_kind", String(10), nullable=False),
    Column("author_id", Uuid),
    Column("internal", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("client_id", String(64)),
    Column("mail_id", String(255), unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("ticket_id", "author_id", "client_id"),
    CheckConstraint("author_kind IN ('customer', 'staff')", name="author_kind"),
    CheckConstraint("NOT internal OR author_kind = 'staff'", name="internal"),
    Index("ix_ticket_message_ticket_id_id", "ticket_id", "id"),
)

ticket_attachment = Table(
    "ticket_attachment",
    metadata,
    Column("message_id", Uuid, ForeignKey("ticket_message.id"), nullable=False),
    Column("attachment_id", Uuid, ForeignKey("attachment.id"), nullable=False, unique=True),
    PrimaryKeyConstraint("message_id", "attachment_id"),
)

ticket_change = Table(
    "ticket_change",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("ticket.id"), nullable=False),
    Column("field", String(20), nullable=False),
    Column("before", String(60)),
    Column("after", String(60)),
    Column("by_id", Uuid),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_ticket_change_ticket_id_id", "ticket_id", "id"),
)
