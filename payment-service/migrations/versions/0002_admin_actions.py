"""admin actions"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_admin_action",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_admin_action_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_admin_action")),
    )
    op.create_index("ix_ledger_admin_action_account_id", "ledger_admin_action", ["account_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_ledger_admin_action_account_id", table_name="ledger_admin_action")
    op.drop_table("ledger_admin_action")
