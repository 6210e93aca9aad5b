"""reversed refunds: a refund that its provider took back is sent again under a key of its own"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COMMENT = "the idempotency key at the provider and of the posting; a new one after a refund was reversed"


def upgrade() -> None:
    op.add_column("refund_part", sa.Column("provider_key", sa.Uuid(), nullable=True, comment=_COMMENT))
    op.execute("UPDATE refund_part SET provider_key = id")
    op.alter_column("refund_part", "provider_key", nullable=False)
    op.alter_column("refund_part", "id", existing_type=sa.Uuid(), comment=None)
    op.create_unique_constraint(op.f("uq_refund_part_provider_key"), "refund_part", ["provider_key"])


def downgrade() -> None:
    op.drop_constraint(op.f("uq_refund_part_provider_key"), "refund_part", type_="unique")
    op.drop_column("refund_part", "provider_key")
