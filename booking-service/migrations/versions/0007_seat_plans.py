"""Seat plans: the rides of a subscription's period, and who travels on it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Instant = sa.DateTime(timezone=True)
_UNPAID = "state NOT IN ('placing', 'pending_payment') OR unpaid_slot IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "seat_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid()),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("content", JSONB()),
        sa.Column("expires_at", Instant),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("lease_until", Instant),
        sa.Column("begun_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_plan")),
        sa.CheckConstraint(
            "state IN ('reserving', 'refused', 'held', 'confirming', 'confirmed', 'expired', 'released')",
            name=op.f("ck_seat_plan_state"),
        ),
        sa.CheckConstraint(
            "state = 'released' OR (subscription_id IS NOT NULL AND user_id IS NOT NULL AND content IS NOT NULL "
            "AND expires_at IS NOT NULL)",
            name=op.f("ck_seat_plan_content"),
        ),
    )
    op.create_index(
        "ix_seat_plan_driven",
        "seat_plan",
        ["lease_until"],
        postgresql_where=sa.text("state IN ('reserving', 'confirming')"),
    )
    op.create_index("ix_seat_plan_held", "seat_plan", ["expires_at"], postgresql_where=sa.text("state = 'held'"))
    op.create_index("ix_seat_plan_subscription", "seat_plan", ["subscription_id"])
    op.create_table(
        "kept_traveller",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_kept_traveller")),
    )
    op.create_index("ix_kept_traveller_user", "kept_traveller", ["user_id"])
    op.add_column("booking", sa.Column("seat_plan_id", sa.Uuid()))
    op.create_index(
        "ix_booking_seat_plan", "booking", ["seat_plan_id"], postgresql_where=sa.text("seat_plan_id IS NOT NULL")
    )
    op.drop_constraint(op.f("ck_booking_unpaid_slot"), "booking")
    op.create_check_constraint(op.f("ck_booking_unpaid_slot"), "booking", f"{_UNPAID} OR seat_plan_id IS NOT NULL")


def downgrade() -> None:
    op.execute("UPDATE booking SET state = 'refused' WHERE seat_plan_id IS NOT NULL AND state = 'placing'")
    op.execute("UPDATE booking SET state = 'expired' WHERE seat_plan_id IS NOT NULL AND state = 'pending_payment'")
    op.drop_constraint(op.f("ck_booking_unpaid_slot"), "booking")
    op.create_check_constraint(op.f("ck_booking_unpaid_slot"), "booking", _UNPAID)
    op.drop_index("ix_booking_seat_plan", "booking")
    op.drop_column("booking", "seat_plan_id")
    op.drop_table("kept_traveller")
    op.drop_table("seat_plan")
