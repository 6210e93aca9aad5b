"""In which session a device registered, so that signing out clears its push token."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("device", sa.Column("session_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_device_session_id"), "device", ["session_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_device_session_id"), "device")
    op.drop_column("device", "session_id")
