"""Tables of cancellations: quotes, and what was cancelled by them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from booking_service.tables_base import metadata

cancellation_quote = Table(
    "cancellation_quote",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("booking_version", Integer, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("involuntary", Boolean, nullable=False),
    # Coupon ids, and per charge what comes back and what is kept.
    Column("coupon_ids", JSONB, nullable=False),
    Column("by_charge", JSONB, nullable=False),
    Column("refund_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("refund_minor >= 0 AND fee_minor >= 0", name="money"),
)
Index("ix_cancellation_quote_booking", cancellation_quote.c.booking_id)

cancellation = Table(
    "cancellation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    # A quote is used once.
    Column("quote_id", Uuid, unique=True),
    Column("whole", Boolean, nullable=False),
    Column("involuntary", Boolean, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("coupon_ids", JSONB, nullable=False),
    Column("refund_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("refund_minor >= 0 AND fee_minor >= 0", name="money"),
)
Index("ix_cancellation_booking", cancellation.c.booking_id)
