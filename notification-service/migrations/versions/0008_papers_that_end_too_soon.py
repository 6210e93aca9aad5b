"""Which trips have a passport or visa to remind of: the rule says so when a trip is remembered.

Until now every trip with passports was looked at again and again. Rows that are there keep what they have: the rule is
asked once more before anybody is reminded. Columns may be renamed here, against the rule of releases, because no
release has 0007 without this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PASSPORTS = "jsonb_path_exists(facts, '$.passengers[*].passport_expires_on ? (@ != null)')"
_VISAS = "jsonb_path_exists(facts, '$.passengers[*].visas[*]')"
_NAMES = {"has_passports": "short_passport", "has_visas": "short_visa"}


def upgrade() -> None:
    for old, new in _NAMES.items():
        # Whoever still runs the version before this one stores trips without asking the rule: those are looked at.
        op.execute(f"ALTER TABLE trip ALTER COLUMN {old} DROP EXPRESSION, ALTER COLUMN {old} SET DEFAULT true")
        op.alter_column("trip", old, new_column_name=new)
        op.execute(f"ALTER INDEX ix_trip_{old} RENAME TO ix_trip_{new}")


def downgrade() -> None:
    op.drop_column("trip", "short_visa")
    op.drop_column("trip", "short_passport")
    op.add_column("trip", sa.Column("has_passports", sa.Boolean(), sa.Computed(_PASSPORTS, persisted=True)))
    op.add_column("trip", sa.Column("has_visas", sa.Boolean(), sa.Computed(_VISAS, persisted=True)))
    for name in _NAMES:
        op.create_index(f"ix_trip_{name}", "trip", ["booking_id"], postgresql_where=sa.text(name))
