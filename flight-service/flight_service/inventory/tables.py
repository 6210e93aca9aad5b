"""Cabins, holds and their seats. The constraints here are the last guard behind every rule of this capability."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)

from flight_service.tables_base import metadata

cabin_inventory = Table(
    "cabin_inventory",
    metadata,
    Column("flight_id", Uuid, primary_key=True),
    Column("cabin", Text, primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("free_seats", Integer, nullable=False),
    Column("held_seats", Integer, nullable=False, server_default=text("0")),
    Column("sold_seats", Integer, nullable=False, server_default=text("0")),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("free_seats BETWEEN 0 AND capacity", name="free_within_capacity"),
    CheckConstraint("held_seats >= 0 AND sold_seats >= 0", name="none_negative"),
    CheckConstraint("free_seats + held_seats + sold_seats = capacity", name="seats_conserved"),
    comment="Seats of one cabin of one flight; every change of a counter moves version",
)

hold = Table(
    "hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("status", Text, nullable=False),
    Column("fingerprint", LargeBinary),
    Column("offer_id", Text),
    Column("expires_at", DateTime(timezone=True)),
    Column("currency", Text),
    Column("total_minor", BigInteger),
    Column("priced", Text),
    Column("notes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status IN ('held', 'confirmed', 'released', 'expired')", name="status"),
    CheckConstraint("total_minor >= 0", name="total_not_negative"),
    CheckConstraint(
        "status = 'released' OR (fingerprint, offer_id, expires_at, currency, total_minor, priced) IS NOT NULL",
        name="content_unless_tombstone",
    ),
    Index("ix_hold_expires_at_held", "expires_at", postgresql_where=text("status = 'held'")),
    comment="Seats under an id the caller chose; without content: a tombstone, released before it arrived",
)

hold_seat = Table(
    "hold_seat",
    metadata,
    Column("hold_id", ForeignKey("hold.id"), primary_key=True),
    Column("passenger_id", Uuid, primary_key=True),
    Column("flight_id", Uuid, primary_key=True),
    Column("cabin", Text, nullable=False),
    Column("designator", Text),
    Column("state", Text, nullable=False),
    Column("preference", Text),
    Column("under_12", Boolean, nullable=False),
    Column("with_infant", Boolean, nullable=False),
    CheckConstraint("state IN ('held', 'sold', 'returned', 'released')", name="state"),
    CheckConstraint("preference IN ('window', 'aisle', 'middle')", name="preference"),
    Index(
        "uq_hold_seat_one_owner",
        "flight_id",
        "designator",
        unique=True,
        postgresql_where=text("state IN ('held', 'sold')"),
    ),
    comment="One traveller on one segment; held and sold are live, returned may be reinstated, released is gone",
)

hold_flash_use = Table(
    "hold_flash_use",
    metadata,
    Column("hold_id", ForeignKey("hold.id"), primary_key=True),
    Column("sale_id", Uuid, primary_key=True),
    Column("uses", Integer, nullable=False),
    CheckConstraint("uses >= 0", name="uses"),
    comment="How much of a flash sale's stock a hold uses; 0 after it was given back",
)
