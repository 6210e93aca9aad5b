"""Saved methods, and the customer each person is at a provider. Everything a provider could be asked with is sealed."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from payment_service.database import metadata

method_customer = Table(
    "method_customer",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    Column("key", Uuid, nullable=False, comment="the idempotency key it is made under"),
    Column("sealed", LargeBinary, comment="the provider's id of the customer, encrypted"),
    Column("state", Text, nullable=False, server_default=text("'open'"), comment="closed: the account was deleted"),
    Column("due_at", DateTime(timezone=True), comment="when the worker goes on closing it"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("user_id", "provider"),
    CheckConstraint("state IN ('open','closing','closed')", name="state_known"),
    Index("ix_method_customer_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

saved_method = Table(
    "saved_method",
    metadata,
    Column("id", Uuid, primary_key=True, comment="also the idempotency key at the provider"),
    Column("user_id", Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reference", Text, comment="the provider's id of the setup"),
    Column("secret_sealed", LargeBinary, comment="the browser's key to the setup, encrypted, until it is active"),
    Column("token_sealed", LargeBinary, comment="the provider's token, encrypted"),
    Column("brand", Text),
    Column("last4", Text),
    Column("exp_month", Integer),
    Column("exp_year", Integer),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    Column("due_at", DateTime(timezone=True), comment="when the worker asks the provider about it"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status IN ('pending','failed','active','removing')", name="status_known"),
    CheckConstraint("status <> 'active' OR token_sealed IS NOT NULL", name="active_has_token"),
    CheckConstraint("NOT is_default OR status = 'active'", name="default_is_active"),
    CheckConstraint("last4 ~ '^[0-9]{4}$'", name="last4_is_four_digits"),
    Index("ix_saved_method_user_id_id", "user_id", "id"),
    Index("uq_saved_method_default", "user_id", unique=True, postgresql_where=text("is_default")),
    Index("ix_saved_method_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
