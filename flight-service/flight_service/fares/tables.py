"""Fare rule sets, currency rates, flash sales, price history. Sets and rates are never edited."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from flight_service.tables_base import metadata

fare_rule_set = Table(
    "fare_rule_set",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSONB, nullable=False, comment="fares/rule_set.py reads it"),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Uuid),
)

currency_rates = Table(
    "currency_rates",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column(
        "rates",
        JSONB,
        nullable=False,
        comment="code -> units of it for one USD, as a decimal string",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Uuid),
)

flash_sale = Table(
    "flash_sale",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "no",
        Integer,
        Identity(),
        nullable=False,
        unique=True,
        comment="offer ids carry it",
    ),
    Column(
        "flight_id",
        Uuid,
        ForeignKey("flight.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("cabin", String(20), nullable=False),
    Column("percent_off", SmallInteger, nullable=False),
    Column("stock", Integer, nullable=False),
    Column("stock_left", Integer, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("percent_off BETWEEN 1 AND 90", name="percent_off"),
    CheckConstraint("stock_left BETWEEN 0 AND stock", name="stock_left"),
    CheckConstraint("starts_at < ends_at", name="window"),
)

price_history = Table(
    "price_history",
    metadata,
    Column("position", BigInteger, Identity(), primary_key=True),
    Column("flight_id", Uuid, nullable=False),
    Column("cabin", String(20), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column(
        "base_minor",
        Integer,
        nullable=False,
        comment="USD cents, before brand and demand",
    ),
    Column(
        "adult_minor",
        Integer,
        nullable=False,
        comment="USD cents: the lowest adult fare on offer at that time",
    ),
    Column("reason", String(20), nullable=False),
    CheckConstraint("reason IN ('opened','fare','day')", name="reason"),
)
Index(
    "ix_price_history_flight_id_cabin_at",
    price_history.c.flight_id,
    price_history.c.cabin,
    price_history.c.at,
)
