"""Find the account of a passenger by the address given for them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_contact_email", "contact", [sa.text("lower(email)")])
    op.create_index("ix_contact_phone", "contact", ["phone"])


def downgrade() -> None:
    op.drop_index("ix_contact_phone", "contact")
    op.drop_index("ix_contact_email", "contact")
