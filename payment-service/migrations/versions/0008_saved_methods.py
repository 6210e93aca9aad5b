"""saved methods: cards kept at a provider, by a sealed token"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "method_customer",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False, comment="the idempotency key it is made under"),
        sa.Column("sealed", sa.LargeBinary(), comment="the provider's id of the customer, encrypted"),
        sa.Column(
            "state", sa.Text(), server_default=sa.text("'open'"), nullable=False,
            comment="closed: the account was deleted",
        ),
        sa.Column("due_at", _AT, comment="when the worker goes on closing it"),
        sa.Column("created_at", _AT, nullable=False),
        sa.CheckConstraint("state IN ('open','closing','closed')", name=op.f("ck_method_customer_state_known")),
        sa.PrimaryKeyConstraint("user_id", "provider", name=op.f("pk_method_customer")),
    )  # fmt: skip
    _saved_method()
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_method_customer_due", "method_customer", ["due_at"], postgresql_where=due)
    op.create_index("ix_saved_method_user_id_id", "saved_method", ["user_id", "id"])
    op.create_index(
        "uq_saved_method_default", "saved_method", ["user_id"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_index("ix_saved_method_due", "saved_method", ["due_at"], postgresql_where=due)


def _saved_method() -> None:
    op.create_table(
        "saved_method",
        sa.Column("id", sa.Uuid(), nullable=False, comment="also the idempotency key at the provider"),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), comment="the provider's id of the setup"),
        sa.Column(
            "secret_sealed", sa.LargeBinary(),
            comment="the browser's key to the setup, encrypted, until it is active",
        ),
        sa.Column("token_sealed", sa.LargeBinary(), comment="the provider's token, encrypted"),
        sa.Column("brand", sa.Text()),
        sa.Column("last4", sa.Text()),
        sa.Column("exp_month", sa.Integer()),
        sa.Column("exp_year", sa.Integer()),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("due_at", _AT, comment="when the worker asks the provider about it"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.CheckConstraint(
            "status IN ('pending','failed','active','removing')", name=op.f("ck_saved_method_status_known")
        ),
        sa.CheckConstraint(
            "status <> 'active' OR token_sealed IS NOT NULL", name=op.f("ck_saved_method_active_has_token")
        ),
        sa.CheckConstraint("NOT is_default OR status = 'active'", name=op.f("ck_saved_method_default_is_active")),
        sa.CheckConstraint("last4 ~ '^[0-9]{4}$'", name=op.f("ck_saved_method_last4_is_four_digits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_method")),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("saved_method")
    op.drop_table("method_customer")
