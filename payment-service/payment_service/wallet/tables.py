"""Coins come in lots that expire, first in first out; the ledger holds totals, the lots say which coins are left."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from payment_service.database import metadata

coin_lot = Table(
    "coin_lot",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("source", Text, nullable=False, unique=True, comment="the fact that granted it, e.g. joining:<user id>"),
    Column("granted", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("granted > 0", name="granted_positive"),
    CheckConstraint("remaining >= 0 AND remaining <= granted", name="remaining_within_granted"),
    Index("ix_coin_lot_user_left", "user_id", "expires_at", "id", postgresql_where=text("remaining > 0")),
    Index("ix_coin_lot_expiring", "expires_at", postgresql_where=text("remaining > 0")),
)

coin_lot_use = Table(
    "coin_lot_use",
    metadata,
    Column("payment_part_id", Uuid, nullable=False),
    Column("lot_id", Uuid, ForeignKey("coin_lot.id"), nullable=False),
    Column("coins", BigInteger, nullable=False),
    Column("given_back", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("payment_part_id", "lot_id"),
    CheckConstraint("coins > 0", name="coins_positive"),
    CheckConstraint("given_back >= 0 AND given_back <= coins", name="given_back_within_coins"),
)
