"""A slot for each unpaid booking, so that nobody keeps more of them than the hold budget allows."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OWNER = sa.literal_column("coalesce(api_key_id, user_id)")


def upgrade() -> None:
    op.add_column("booking", sa.Column("unpaid_slot", sa.SmallInteger()))
    op.execute(
        """UPDATE booking SET unpaid_slot = numbered.n FROM (
             SELECT id, row_number() OVER (PARTITION BY coalesce(api_key_id, user_id) ORDER BY created_at, id) AS n
             FROM booking WHERE state IN ('placing', 'pending_payment')) AS numbered
           WHERE booking.id = numbered.id"""
    )
    op.create_check_constraint(
        op.f("ck_booking_unpaid_slot"),
        "booking",
        "state NOT IN ('placing', 'pending_payment') OR unpaid_slot IS NOT NULL",
    )
    op.create_index(
        "uq_booking_unpaid_slot",
        "booking",
        [_OWNER, "unpaid_slot"],
        unique=True,
        postgresql_where=sa.text("state IN ('placing', 'pending_payment')"),
    )
    op.create_index(
        "ix_booking_lapsed",
        "booking",
        [_OWNER, sa.literal_column("coalesce(expired_at, cancelled_at)")],
        postgresql_where=sa.text("confirmed_at IS NULL AND state IN ('expired', 'cancelled')"),
    )


def downgrade() -> None:
    op.drop_index("ix_booking_lapsed", "booking")
    op.drop_index("uq_booking_unpaid_slot", "booking")
    op.drop_constraint(op.f("ck_booking_unpaid_slot"), "booking")
    op.drop_column("booking", "unpaid_slot")
