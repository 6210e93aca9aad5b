"""Tables of changes: quotes, the change itself with the hold of its new flights, and extras bought later."""

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
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from booking_service.tables_base import metadata

change_quote = Table(
    "change_quote",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("booking_version", Integer, nullable=False),
    Column("slice_ids", JSONB, nullable=False),
    Column("offer_id", Text, nullable=False),
    # The answer of flight-service the quote was made of.
    Column("offered", JSONB, nullable=False),
    Column("involuntary", Boolean, nullable=False),
    # The lines of the new hold, so that quote and change ask for the same.
    Column("lines", JSONB, nullable=False),
    Column("old_minor", BigInteger, nullable=False),
    Column("new_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("due_minor", BigInteger, nullable=False),
    Column("refund_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
Index("ix_change_quote_booking", change_quote.c.booking_id)

booking_change = Table(
    "booking_change",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("quote_id", Uuid, unique=True),
    Column("hold_id", Uuid, unique=True),
    Column("charge_id", Uuid, unique=True),
    Column("state", String(16), nullable=False),
    Column("lines", JSONB, nullable=False, server_default=text("'[]'")),
    Column("payable_until", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('flights', 'extras')", name="kind"),
    CheckConstraint(
        "state IN ('holding', 'awaiting_payment', 'confirming', 'done', 'refused', 'expired')", name="state"
    ),
)
Index("ix_booking_change_booking", booking_change.c.booking_id)
Index(
    "ix_booking_change_due",
    booking_change.c.payable_until,
    postgresql_where=text("state IN ('holding', 'awaiting_payment')"),
)
# One change at a time moves a booking's flights.
Index(
    "uq_booking_change_open",
    booking_change.c.booking_id,
    unique=True,
    postgresql_where=text("kind = 'flights' AND state IN ('holding', 'awaiting_payment', 'confirming')"),
)
