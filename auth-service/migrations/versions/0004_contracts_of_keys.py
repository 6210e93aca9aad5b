"""How many bookings a partner's key may keep unpaid at once, by its contract.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("unpaid_bookings", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_api_key_unpaid_bookings"), "api_key", "unpaid_bookings > 0")


def downgrade() -> None:
    op.drop_column("api_key", "unpaid_bookings")
