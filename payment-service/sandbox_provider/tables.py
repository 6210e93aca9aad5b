"""The sandbox company's own tables. No card number is kept: brand and last four digits only."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from rihla.db import make_base

metadata = make_base().metadata

payment = Table(
    "payment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("fingerprint", Text, comment="null when the key was cancelled before it was used"),
    Column("amount_minor", BigInteger, nullable=False, server_default="0"),
    Column("currency", Text, nullable=False, server_default=""),
    Column("reference", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("decline_code", Text),
    Column("message", Text),
    Column("brand", Text),
    Column("last4", Text),
    Column("confirmation_token", Text),
    Column("settle_at", DateTime(timezone=True)),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(
        "status IN ('succeeded','declined','requires_action','processing','cancelled')", name="status_known"
    ),
    CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded_within_amount"),
    Index("ix_payment_settle_at", "settle_at", postgresql_where=text("status = 'processing'")),
    Index("ix_payment_created_at", "created_at"),
)

refund = Table(
    "refund",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("payment_id", Text, ForeignKey("payment.id"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reference", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False),
    Column("failure_code", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status IN ('succeeded','failed')", name="status_known"),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
)

event = Table(
    "event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("event_id", Text, ForeignKey("event.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), comment="null once delivered or given up"),
    Column("delivered_at", DateTime(timezone=True)),
    Column("last_status", Integer),
    Column("last_error", Text),
    UniqueConstraint("event_id", "url"),
    Index("ix_delivery_due", "next_attempt_at", postgresql_where=text("next_attempt_at IS NOT NULL")),
)
