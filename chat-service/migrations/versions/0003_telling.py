"""Events of our own, and up to which message a traveller who is away was told of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversation", sa.Column("told_seq", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_index(
        "ix_conversation_untold",
        "conversation",
        ["last_message_at"],
        postgresql_where=sa.text("traveller_unread > 0 AND told_seq <= traveller_seen_seq"),
    )
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("envelope", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("position", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
    )
    op.create_index("ix_outbox_aggregate_id_position", "outbox", ["aggregate_id", "position"])


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_index("ix_conversation_untold", "conversation")
    op.drop_column("conversation", "told_seq")
