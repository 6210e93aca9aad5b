"""subscription uses: reserved with a booking, consumed by it, given back with it"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATUSES = "status IN ('reserved','consumed','given_back')"
_CHECKS = {
    "tombstone_is_given_back": "status = 'given_back' OR period_id IS NOT NULL",
    "back_within_segments": "segments_back BETWEEN 0 AND segments",
    "counted_within_rides": "rides_counted BETWEEN 0 AND rides",
}


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("segments", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "segments_back", sa.Integer(), server_default="0", nullable=False, comment="given back so far, in total"
        ),
        sa.Column(
            "rides_counted", sa.Integer(), server_default="0", nullable=False, comment="part of the period's count"
        ),
        sa.Column("discount_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column(
            "fingerprint", sa.Text(), nullable=True, comment="of the request, to tell a repeat from another content"
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consumed_at", sa.DateTime(timezone=True), nullable=True),
    ]


def upgrade() -> None:
    for column in _columns():
        op.add_column("subscription_use", column)
    op.drop_constraint(op.f("ck_subscription_use_status_known"), "subscription_use", type_="check")
    op.execute("UPDATE subscription_use SET status = 'consumed' WHERE status = 'used'")
    op.create_check_constraint(op.f("ck_subscription_use_status_known"), "subscription_use", _STATUSES)
    for name, rule in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_subscription_use_{name}"), "subscription_use", rule)
    op.create_index(
        "ix_subscription_use_expiring",
        "subscription_use",
        ["expires_at"],
        postgresql_where=sa.text("status = 'reserved'"),
    )


def downgrade() -> None:
    op.drop_index("ix_subscription_use_expiring", table_name="subscription_use")
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_subscription_use_{name}"), "subscription_use", type_="check")
    op.drop_constraint(op.f("ck_subscription_use_status_known"), "subscription_use", type_="check")
    op.execute("UPDATE subscription_use SET status = 'used' WHERE status <> 'given_back'")
    op.create_check_constraint(
        op.f("ck_subscription_use_status_known"), "subscription_use", "status IN ('used','given_back')"
    )
    for column in reversed(_columns()):
        op.drop_column("subscription_use", column.name)
