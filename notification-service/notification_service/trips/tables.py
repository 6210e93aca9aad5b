"""Bookings as their events told them, their flights, and the documents that are ready."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from notification_service.tables_base import metadata

Instant = DateTime(timezone=True)

trip = Table(
    "trip",
    metadata,
    Column("booking_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("reference", String(12), nullable=False),
    # The booking's own counter: an older event changes nothing.
    Column("sequence", BigInteger, nullable=False),
    Column("status", String(24), nullable=False),
    # When the hold ends, or ended for want of payment.
    Column("payment_required_by", Instant),
    # The newest booking event's data, as it came.
    Column("facts", JSONB, nullable=False),
    # Whether somebody's passport or visa ends too soon (`reminders/rules.py`): the reminders look at no other trips.
    Column("short_passport", Boolean, server_default=text("true")),
    Column("short_visa", Boolean, server_default=text("true")),
    Column("ends_at", Instant, nullable=False, index=True),
    Index("ix_trip_payment_required_by", "payment_required_by", postgresql_where=text("status = 'pending_payment'")),
    Index("ix_trip_short_passport", "booking_id", postgresql_where=text("short_passport")),
    Index("ix_trip_short_visa", "booking_id", postgresql_where=text("short_visa")),
    Index("ix_trip_lapsed", "payment_required_by", postgresql_where=text("status = 'expired'")),
)

trip_flight = Table(
    "trip_flight",
    metadata,
    Column("booking_id", Uuid, ForeignKey("trip.booking_id", ondelete="CASCADE"), primary_key=True),
    Column("flight_id", Uuid, primary_key=True),
    # As now expected: the timetable, moved by delays.
    Column("departs_at", Instant, nullable=False, index=True),
    Column("departed", Boolean, nullable=False, server_default=text("false")),
    Index("ix_trip_flight_flight_id", "flight_id"),
)

flight_news = Table(
    "flight_news",
    metadata,
    # The newest that was heard of a flight, for bookings that come later and for events that come late.
    Column("flight_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("delay_minutes", Integer, nullable=False, server_default=text("0")),
    Column("departs_at", Instant, nullable=False, index=True),
    Column("departed", Boolean, nullable=False, server_default=text("false")),
    Column("gate", String(10)),
    Column("terminal", String(10)),
)

trip_document = Table(
    "trip_document",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("booking_id", Uuid, nullable=False),
    Column("cause", String(20), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("storage_key", String(512), nullable=False),
    Column("received_at", Instant, nullable=False, index=True),
    UniqueConstraint("booking_id", "storage_key"),
)
