"""Notices (one for each fact and recipient) and their deliveries (one for each channel and address)."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB

from notification_service.tables_base import metadata

Instant = DateTime(timezone=True)

notice = Table(
    "notice",
    metadata,
    Column("id", Uuid, primary_key=True),
    # What happened, named so that the same fact always has the same name: `booking_confirmed:<booking id>`.
    Column("fact", String(200), nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("locale", String(35), nullable=False),
    Column("booking_id", Uuid),
    Column("facts", JSONB, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("read_at", Instant),
    Unique("fact", "user_id"),
    Index("ix_notice_user_id_id", "user_id", "id"),
    Index("ix_notice_unread", "user_id", postgresql_where=text("read_at IS NULL")),
    Index("ix_notice_booking_id", "booking_id"),
    Index("ix_notice_created_at", "created_at"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("notice_id", Uuid, ForeignKey("notice.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(10), nullable=False),
    # A mail address, a number in E.164, or `platform:token` (a browser's subscription is some hundred characters).
    Column("address", Text, nullable=False),
    Column("message_id", String(120), nullable=False, unique=True),
    Column("state", String(10), nullable=False),
    # What the mail waits for: documents of this booking made for this cause.
    Column("waits_for", String(20)),
    # ... told after this sequence of the booking (documents of an earlier change do not count).
    Column("waits_after", BigInteger),
    Column("booking_id", Uuid),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # Queued: when it may be sent; waiting: when the wait ends; sending: when its worker is given up for dead.
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("provider_id", String(200)),
    Column("last_error", Text),
    Column("resends", Integer, nullable=False, server_default=text("0")),
    Unique("notice_id", "channel", "address"),
    CheckConstraint("channel IN ('email', 'sms', 'push')", name="channel"),
    CheckConstraint("state IN ('waiting', 'queued', 'sending', 'sent', 'dead')", name="state"),
    Index("ix_delivery_due", "due_at", postgresql_where=text("state IN ('waiting', 'queued', 'sending')")),
    Index("ix_delivery_waiting", "booking_id", postgresql_where=text("state = 'waiting'")),
    Index("ix_delivery_state_id", "state", "id"),
)
