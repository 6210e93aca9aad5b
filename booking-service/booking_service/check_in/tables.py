"""Tables of check-in. A sequence number of a flight is given once and never again, an undone one stays as void."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, String, Table, Uuid, text

from booking_service.tables_base import metadata

check_in_counter = Table(
    "check_in_counter",
    metadata,
    Column("flight_id", Uuid, primary_key=True),
    Column("last_sequence", Integer, nullable=False),
)

check_in = Table(
    "check_in",
    metadata,
    Column("flight_id", Uuid, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("passenger_id", Uuid, nullable=False),
    Column("coupon_id", Uuid, ForeignKey("coupon.id"), nullable=False),
    Column("state", String(8), nullable=False),
    Column("checked_in_at", DateTime(timezone=True), nullable=False),
    Column("voided_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('active', 'void')", name="state"),
    CheckConstraint("sequence > 0", name="sequence"),
)
Index("ix_check_in_booking", check_in.c.booking_id)
Index("uq_check_in_active", check_in.c.coupon_id, unique=True, postgresql_where=text("state = 'active'"))
