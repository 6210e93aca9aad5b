"""Tables of the ledger. The triggers that make them append-only and balanced are in the first migration."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from payment_service.database import metadata

ledger_account = Table(
    "ledger_account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("owner_id", Uuid),
    Column("balance", BigInteger, comment="cached for user accounts, null for system accounts"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("frozen", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    CheckConstraint("balance >= 0", name="balance_not_negative"),
    CheckConstraint("(owner_id IS NULL) = (balance IS NULL)", name="balance_cached_for_owners"),
    UniqueConstraint("id", "unit"),
    Index(
        "uq_ledger_account_owner",
        "owner_id",
        "kind",
        "unit",
        unique=True,
        postgresql_where=text("owner_id IS NOT NULL"),
    ),
    Index("uq_ledger_account_system", "kind", "unit", unique=True, postgresql_where=text("owner_id IS NULL")),
)

ledger_posting = Table(
    "ledger_posting",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("reference_id", Uuid),
    Column("actor_id", Uuid),
    Column("reason", Text),
    Column("posted_at", DateTime(timezone=True), nullable=False),
    Index("ix_ledger_posting_reference_id", "reference_id"),
    Index("ix_ledger_posting_posted_at", "posted_at"),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("posting_id", Uuid, ForeignKey("ledger_posting.id"), nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("balance_after", BigInteger, comment="running balance of a user account"),
    ForeignKeyConstraint(["account_id", "unit"], ["ledger_account.id", "ledger_account.unit"]),
    CheckConstraint("amount <> 0", name="amount_not_zero"),
    CheckConstraint("balance_after >= 0", name="balance_after_not_negative"),
    Index("ix_ledger_entry_posting_id", "posting_id"),
    Index("ix_ledger_entry_account_id_id", "account_id", "id"),
)

# Filled by a trigger on ledger_posting; the sealer empties it. A queue rather than "all without a link": ids are given
# before commit, so a posting can appear behind ones that are sealed already.
ledger_unsealed = Table(
    "ledger_unsealed",
    metadata,
    Column("queued", BigInteger, Identity(always=True), primary_key=True),
    Column("posting_id", Uuid, nullable=False, unique=True),
)

ledger_link = Table(
    "ledger_link",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("posting_id", Uuid, ForeignKey("ledger_posting.id"), nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
)

ledger_check = Table(
    "ledger_check",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("links", BigInteger, nullable=False),
    Column("last_hash", LargeBinary),
    Index("ix_ledger_check_finished_at", "finished_at"),
)

ledger_admin_action = Table(
    "ledger_admin_action",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("ledger_account.id"), nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor_id", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_ledger_admin_action_account_id", "account_id"),
)
