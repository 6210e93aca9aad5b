"""Bookings that rides of a plan pay for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BEFORE = (
    "kind IN ('confirm_hold', 'reinstate_hold', 'release_hold', 'release_promo', 'consume_promo', "
    "'request_refund', 'confirm_change', 'sync_seats')"
)
_NOW = _BEFORE.replace("'request_refund'", "'release_rides', 'consume_rides', 'request_refund'")


def upgrade() -> None:
    op.add_column("booking", sa.Column("subscription_id", sa.Uuid()))
    op.drop_constraint(op.f("ck_errand_kind"), "errand")
    op.create_check_constraint(op.f("ck_errand_kind"), "errand", _NOW)


def downgrade() -> None:
    op.execute("DELETE FROM errand WHERE kind IN ('release_rides', 'consume_rides')")
    op.drop_constraint(op.f("ck_errand_kind"), "errand")
    op.create_check_constraint(op.f("ck_errand_kind"), "errand", _BEFORE)
    op.drop_column("booking", "subscription_id")
