"""The table of disruptions: what the airline changed, and what the traveller answered."""

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
    Uuid,
    text,
)

from booking_service.tables_base import metadata

disruption = Table(
    "disruption",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("flight_id", Uuid, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("state", String(12), nullable=False),
    Column("flight_sequence", BigInteger, nullable=False),
    Column("departure_was", String(40)),
    Column("departure_is", String(40)),
    Column("delay_minutes", Integer, nullable=False, server_default=text("0")),
    Column("noticed_at", DateTime(timezone=True), nullable=False),
    Column("answer_by", DateTime(timezone=True), nullable=False),
    Column("answered_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('cancelled', 'retimed', 'delayed')", name="kind"),
    CheckConstraint("state IN ('open', 'accepted', 'moved', 'refunded', 'superseded')", name="state"),
)
Index("ix_disruption_booking", disruption.c.booking_id)
Index("ix_disruption_unanswered", disruption.c.answer_by, postgresql_where=text("state = 'open'"))
# One open question for each flight of a booking.
Index(
    "uq_disruption_open",
    disruption.c.booking_id,
    disruption.c.flight_id,
    unique=True,
    postgresql_where=text("state = 'open'"),
)
