"""Which trips have passports or visas to remind of, so that the reminders need not read everybody's facts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_PASSPORTS = "jsonb_path_exists(facts, '$.passengers[*].passport_expires_on ? (@ != null)')"
_VISAS = "jsonb_path_exists(facts, '$.passengers[*].visas[*]')"


def upgrade() -> None:
    op.add_column("trip", sa.Column("has_passports", sa.Boolean(), sa.Computed(_PASSPORTS, persisted=True)))
    op.add_column("trip", sa.Column("has_visas", sa.Boolean(), sa.Computed(_VISAS, persisted=True)))
    for name in ("has_passports", "has_visas"):
        op.create_index(f"ix_trip_{name}", "trip", ["booking_id"], postgresql_where=sa.text(name))


def downgrade() -> None:
    op.drop_column("trip", "has_visas")
    op.drop_column("trip", "has_passports")
