"""Endpoints of partners, what they are told (one row for each fact), and each telling of it to an endpoint."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import ARRAY

from notification_service.tables_base import metadata

Instant = DateTime(timezone=True)

webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("test_mode", Boolean, nullable=False),
    Column("url", Text, nullable=False),
    Column("description", String(200), nullable=False, server_default=""),
    Column("event_types", ARRAY(String(40)), nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("disabled_reason", String(10)),
    Column("disabled_at", Instant),
    # The first failure since the last success.
    Column("failing_since", Instant),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("previous_sealed", LargeBinary),
    Column("previous_until", Instant),
    # Whose key made it: who is told when it is disabled.
    Column("created_by", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint("disabled_reason IN ('owner', 'gone', 'failing')", name="disabled_reason"),
    CheckConstraint("enabled = (disabled_reason IS NULL)", name="disabled_has_its_reason"),
    Index("ix_webhook_endpoint_owner", "organisation_id", "test_mode", "id"),
)

webhook_event = Table(
    "webhook_event",
    metadata,
    # Also `webhook-id`, the same at every try and at every endpoint.
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False, index=True),
    # The event it comes from, and the booking where one event concerns several.
    Column("fact", String(120), nullable=False, unique=True),
    Column("type", String(40), nullable=False),
    # The body as it leaves, byte by byte.
    Column("payload", Text, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid, ForeignKey("webhook_event.id", ondelete="CASCADE"), nullable=False),
    Column("endpoint_id", Uuid, ForeignKey("webhook_endpoint.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # Attempts made before somebody sent it again by hand: the pauses begin anew.
    Column("attempts_before", Integer, nullable=False, server_default=text("0")),
    # Queued: when it is tried; sending: when its worker is given up for dead.
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("response_status", Integer),
    Column("response_excerpt", String(200)),
    Column("last_error", String(200)),
    Unique("event_id", "endpoint_id"),
    CheckConstraint("state IN ('queued', 'sending', 'delivered', 'dead')", name="state"),
    Index("ix_webhook_delivery_due", "endpoint_id", "due_at", postgresql_where=text("state IN ('queued', 'sending')")),
    Index("ix_webhook_delivery_endpoint_id_id", "endpoint_id", "id"),
)
