"""Subscription plans, who has one, the periods they paid for, and what was used of each period."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from payment_service.database import metadata

subscription_plan = Table(
    "subscription_plan",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False, comment="rides or discount"),
    Column("rides_per_period", Integer),
    Column("discount_basis_points", Integer),
    Column("routes", ARRAY(Text), nullable=False, server_default="{}"),
    Column("cabin", Text, nullable=False, server_default="economy"),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("price_minor > 0", name="price_positive"),
    CheckConstraint(
        "(kind = 'rides' AND rides_per_period > 0 AND discount_basis_points IS NULL) OR "
        "(kind = 'discount' AND discount_basis_points BETWEEN 1 AND 10000 AND rides_per_period IS NULL)",
        name="value_fits_kind",
    ),
)

subscription = Table(
    "subscription",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("plan_id", Uuid, ForeignKey("subscription_plan.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("travel_pattern", JSONB, nullable=False, comment="weekdays and times the traveller picked"),
    Column("cancel_at_period_end", Boolean, nullable=False, server_default=text("false")),
    Column("current_period_start", Date),
    Column("current_period_end", Date, comment="exclusive"),
    Column("anchor_day", Integer, nullable=False),
    Column("next_renewal_at", DateTime(timezone=True)),
    Column("renewal_attempts", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status IN ('incomplete','active','past_due','paused','cancelled')", name="status_known"),
    Index(
        "uq_subscription_live",
        "user_id",
        "plan_id",
        unique=True,
        postgresql_where=text("status IN ('incomplete','active','past_due','paused')"),
    ),
    Index("ix_subscription_renewal", "next_renewal_at", postgresql_where=text("next_renewal_at IS NOT NULL")),
)

subscription_period = Table(
    "subscription_period",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subscription_id", Uuid, ForeignKey("subscription.id"), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False, comment="exclusive"),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("rides", Integer, comment="null for a discount plan"),
    Column("rides_used", Integer, nullable=False, server_default="0"),
    Column("status", Text, nullable=False, comment="due, paid or void"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("subscription_id", "starts_on"),
    CheckConstraint("ends_on > starts_on", name="ends_after_start"),
    CheckConstraint("rides_used >= 0 AND (rides IS NULL OR rides_used <= rides)", name="rides_within_plan"),
    CheckConstraint("status IN ('due','paid','void')", name="status_known"),
)

subscription_use = Table(
    "subscription_use",
    metadata,
    Column("booking_id", Uuid, primary_key=True),
    Column("period_id", Uuid, ForeignKey("subscription_period.id"), comment="null in a tombstone"),
    Column("rides", Integer, nullable=False, server_default="0"),
    Column("status", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status IN ('used','given_back')", name="status_known"),
)
