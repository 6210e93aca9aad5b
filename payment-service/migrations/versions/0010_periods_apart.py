"""the index of paid months holds no payments of charges, so that a charge is never looked for in it from end to end"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NAME = "uq_payment_succeeded_period"


def upgrade() -> None:
    _again("status = 'succeeded' AND subscription_period_id IS NOT NULL")


def downgrade() -> None:
    _again("status = 'succeeded'")


def _again(which: str) -> None:
    op.drop_index(_NAME, table_name="payment")
    op.create_index(_NAME, "payment", ["subscription_period_id"], unique=True, postgresql_where=sa.text(which))
