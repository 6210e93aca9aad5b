"""A trip to a provider may end with a ticket, which only the client that began it can use.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("oidc_attempt", "link_account_id")
    op.add_column("oidc_attempt", sa.Column("client_challenge", sa.String(64)))
    op.add_column("oidc_attempt", sa.Column("ticket_hash", sa.LargeBinary()))
    op.add_column("oidc_attempt", sa.Column("identity", postgresql.JSONB()))
    op.create_unique_constraint("uq_oidc_attempt_ticket_hash", "oidc_attempt", ["ticket_hash"])


def downgrade() -> None:
    op.drop_constraint("uq_oidc_attempt_ticket_hash", "oidc_attempt")
    op.drop_column("oidc_attempt", "identity")
    op.drop_column("oidc_attempt", "ticket_hash")
    op.drop_column("oidc_attempt", "client_challenge")
    op.add_column(
        "oidc_attempt",
        sa.Column("link_account_id", sa.Uuid(), sa.ForeignKey("account.id", ondelete="CASCADE")),
    )
