"""Documents and the jobs that make them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Instant = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "document_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("orders", JSONB(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("finished_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_document_job"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_document_job_booking_id", ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('queued', 'working', 'done', 'failed')", name="ck_document_job_state"),
    )
    op.create_index("ix_document_job_booking_id", "document_job", ["booking_id"])
    op.create_index(
        "ix_document_job_due", "document_job", ["due_at"], postgresql_where=sa.text("state IN ('queued', 'working')")
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(60), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("storage_key", sa.String(512), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("passenger_id", sa.Uuid()),
        sa.Column("flight_id", sa.Uuid()),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("voided_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name="fk_document_booking_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["job_id"], ["document_job.id"], name="fk_document_job_id", ondelete="CASCADE"),
        sa.CheckConstraint("kind IN ('ticket', 'receipt', 'refund_receipt', 'boarding_pass')", name="ck_document_kind"),
        sa.UniqueConstraint("storage_key", name="uq_document_storage_key"),
        sa.UniqueConstraint(
            "booking_id",
            "kind",
            "subject",
            "media_type",
            "version",
            name="uq_document_booking_id_kind_subject_media_type_version",
        ),
    )
    op.create_index("ix_document_job_id", "document", ["job_id"])


def downgrade() -> None:
    op.drop_table("document")
    op.drop_table("document_job")
