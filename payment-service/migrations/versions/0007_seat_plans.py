"""seat plans: the seats of a month, as booking-service holds them for us"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIVE = "state IN ('asked','held','confirming','confirmed')"


def upgrade() -> None:
    op.create_table(
        "seat_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("period_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True, comment="when the worker looks at it"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked','held','confirming','confirmed','releasing','released')",
            name=op.f("ck_seat_plan_state_known"),
        ),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscription.id"], name=op.f("fk_seat_plan_subscription_id")),
        sa.ForeignKeyConstraint(["period_id"], ["subscription_period.id"], name=op.f("fk_seat_plan_period_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_plan")),
    )
    op.create_index("uq_seat_plan_live", "seat_plan", ["period_id"], unique=True, postgresql_where=sa.text(_LIVE))
    op.create_index("ix_seat_plan_subscription_id", "seat_plan", ["subscription_id"])
    op.create_index("ix_seat_plan_due", "seat_plan", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("seat_plan")
