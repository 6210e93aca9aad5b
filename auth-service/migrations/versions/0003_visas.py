"""Visas beside the passport they are in.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("passport", sa.Column("visas", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    op.drop_column("passport", "visas")
