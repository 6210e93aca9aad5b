"""Until when the visas of a passenger let them in, for the reminder before the journey."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("passenger", sa.Column("visas", JSONB(), nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    op.drop_column("passenger", "visas")
