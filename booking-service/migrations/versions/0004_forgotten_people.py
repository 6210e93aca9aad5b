"""Who asked to be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "forgotten_person",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("deleted_at", Instant, nullable=False),
        sa.Column("finished_at", Instant),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_forgotten_person")),
    )
    op.create_index(
        "ix_forgotten_person_open",
        "forgotten_person",
        ["deleted_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("forgotten_person")
