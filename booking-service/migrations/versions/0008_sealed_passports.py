"""Numbers of passports sealed at rest: where the sealed and the shown form lie.

What is plain is sealed by the worker (`bookings/seal_passports.py`), because a migration has no keys and because the
last processes of the version before go on writing plain numbers until they are replaced.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("passenger", sa.Column("passport_masked", sa.String(20)))
    op.add_column("passenger", sa.Column("passport_sealed", sa.LargeBinary()))
    op.create_check_constraint(
        op.f("ck_passenger_passport_sealed"), "passenger", "(passport_masked IS NULL) = (passport_sealed IS NULL)"
    )
    op.create_index(
        "ix_passenger_plain_passport",
        "passenger",
        ["id"],
        postgresql_where=sa.text("passport_number IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_passenger_plain_passport", "passenger")
    op.drop_constraint(op.f("ck_passenger_passport_sealed"), "passenger")
    op.drop_column("passenger", "passport_sealed")
    op.drop_column("passenger", "passport_masked")
