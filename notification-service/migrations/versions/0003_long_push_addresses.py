"""Push addresses may be long and name their platform; bookings nobody finished are found fast."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("delivery", "address", type_=sa.Text(), existing_type=sa.String(512), existing_nullable=False)
    # The platform goes before the token of pushes that have not left.
    op.execute(
        "UPDATE delivery d SET address = v.platform || ':' || v.token FROM device v "
        "WHERE d.channel = 'push' AND d.state <> 'sent' AND v.token = d.address"
    )
    op.create_index("ix_trip_lapsed", "trip", ["payment_required_by"], postgresql_where=sa.text("status = 'expired'"))


def downgrade() -> None:
    op.drop_index("ix_trip_lapsed", table_name="trip", postgresql_where=sa.text("status = 'expired'"))
    op.execute("DELETE FROM delivery WHERE length(address) > 512")
    op.alter_column("delivery", "address", type_=sa.String(512), existing_type=sa.Text(), existing_nullable=False)
