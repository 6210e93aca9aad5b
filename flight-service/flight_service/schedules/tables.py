"""Schedules, the flights they make, and the feed the timetable follows."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from flight_service.tables_base import metadata

STATUSES = ("scheduled", "delayed", "boarding", "departed", "arrived", "cancelled")

schedule = Table(
    "schedule",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("airline", String(2), ForeignKey("airline.iata"), nullable=False),
    Column("flight_number", String(6), nullable=False),
    Column("origin", String(3), ForeignKey("airport.iata"), nullable=False),
    Column("destination", String(3), ForeignKey("airport.iata"), nullable=False),
    Column(
        "days_of_week",
        SmallInteger,
        nullable=False,
        comment="bit 0 is Monday, bit 6 Sunday",
    ),
    Column("departure_time", Time, nullable=False, comment="local at the origin"),
    Column("duration_minutes", SmallInteger, nullable=False, comment="gate to gate"),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("aircraft", String(4), ForeignKey("aircraft_type.code"), nullable=False),
    Column("terminal", String(10)),
    Column(
        "base_fares",
        ARRAY(Integer),
        nullable=False,
        comment="USD cents by cabin, order of layout.CABINS; 0: none",
    ),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("origin <> destination", name="route"),
    CheckConstraint("days_of_week BETWEEN 1 AND 127", name="days_of_week"),
    CheckConstraint("duration_minutes BETWEEN 15 AND 1440", name="duration"),
    CheckConstraint("valid_from <= valid_until", name="validity"),
    CheckConstraint("cardinality(base_fares) = 4 AND 0 <= ALL (base_fares)", name="base_fares"),
)
Index("ix_schedule_airline_flight_number", schedule.c.airline, schedule.c.flight_number)

flight = Table(
    "flight",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "no",
        Integer,
        Identity(),
        nullable=False,
        unique=True,
        comment="dense number; offer ids carry it",
    ),
    Column(
        "schedule_id",
        Uuid,
        ForeignKey("schedule.id"),
        comment="NULL for a flight of its own",
    ),
    Column("flight_number", String(6), nullable=False),
    Column("airline", String(2), ForeignKey("airline.iata"), nullable=False),
    Column("origin", String(3), ForeignKey("airport.iata"), nullable=False),
    Column("destination", String(3), ForeignKey("airport.iata"), nullable=False),
    Column(
        "local_date",
        Date,
        nullable=False,
        comment="day of the scheduled departure at the origin",
    ),
    Column("departure_at", DateTime(timezone=True), nullable=False),
    Column("arrival_at", DateTime(timezone=True), nullable=False),
    Column(
        "departure_offset",
        SmallInteger,
        nullable=False,
        comment="origin's UTC offset at departure, minutes",
    ),
    Column(
        "arrival_offset",
        SmallInteger,
        nullable=False,
        comment="destination's UTC offset at arrival, minutes",
    ),
    Column("aircraft", String(4), ForeignKey("aircraft_type.code"), nullable=False),
    Column("status", String(10), nullable=False, server_default="scheduled"),
    Column("terminal", String(10)),
    Column("gate", String(10)),
    Column("delay_minutes", SmallInteger, nullable=False, server_default=text("0")),
    Column(
        "base_fares",
        ARRAY(Integer),
        nullable=False,
        comment="USD cents by cabin, order of layout.CABINS; 0: none",
    ),
    Column(
        "offer_version",
        Integer,
        nullable=False,
        server_default=text("1"),
        comment="fare, schedule or status",
    ),
    Column(
        "sequence",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="counter of its events",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("origin <> destination", name="route"),
    CheckConstraint("arrival_at > departure_at", name="times"),
    CheckConstraint(
        "status IN ('scheduled','delayed','boarding','departed','arrived','cancelled')",
        name="status",
    ),
    CheckConstraint("delay_minutes BETWEEN 0 AND 4320", name="delay"),
    CheckConstraint("cardinality(base_fares) = 4 AND 0 <= ALL (base_fares)", name="base_fares"),
)
Index(
    "uq_flight_schedule_id_local_date",
    flight.c.schedule_id,
    flight.c.local_date,
    unique=True,
)
Index(
    "uq_flight_own_number",
    flight.c.flight_number,
    flight.c.origin,
    flight.c.local_date,
    unique=True,
    postgresql_where=text("schedule_id IS NULL"),
)
Index("ix_flight_departure_at_no", flight.c.departure_at, flight.c.no)
Index("ix_flight_origin_local_date", flight.c.origin, flight.c.local_date)
Index("ix_flight_flight_number_local_date", flight.c.flight_number, flight.c.local_date)

flight_history = Table(
    "flight_history",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("flight_number", String(6), nullable=False),
    Column("origin", String(3), nullable=False),
    Column("destination", String(3), nullable=False),
    Column("local_date", Date, nullable=False),
    Column(
        "document",
        JSONB,
        nullable=False,
        comment="the flight's row and its cabins when it was archived",
    ),
    Column("archived_at", DateTime(timezone=True), nullable=False),
)
Index(
    "ix_flight_history_flight_number_local_date",
    flight_history.c.flight_number,
    flight_history.c.local_date,
)

flight_status_entry = Table(
    "flight_status_entry",
    metadata,
    Column("flight_id", Uuid, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False, comment="the event's type"),
    Column("document", JSONB, nullable=False),
)
