"""Contacts, trips, notices, deliveries, preferences, devices, codes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_request",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_code_request")),
    )
    op.create_index(op.f("ix_code_request_received_at"), "code_request", ["received_at"], unique=False)
    op.create_table(
        "contact",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("full_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("locale", sa.String(length=35), server_default="en", nullable=False),
        sa.Column("suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_contact")),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.String(length=10), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("platform IN ('android', 'ios', 'web')", name=op.f("ck_device_platform")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("token", name=op.f("uq_device_token")),
    )
    op.create_index(op.f("ix_device_user_id"), "device", ["user_id"], unique=False)
    op.create_table(
        "flight_news",
        sa.Column("flight_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("delay_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("departs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("departed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("gate", sa.String(length=10), nullable=True),
        sa.Column("terminal", sa.String(length=10), nullable=True),
        sa.PrimaryKeyConstraint("flight_id", name=op.f("pk_flight_news")),
    )
    op.create_index(op.f("ix_flight_news_departs_at"), "flight_news", ["departs_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event_id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_received_at"), "inbox", ["received_at"], unique=False)
    op.create_table(
        "inbox_sequence",
        sa.Column("consumer", sa.String(length=80), nullable=False),
        sa.Column("aggregate", sa.String(length=120), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "aggregate", name=op.f("pk_inbox_sequence")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fact", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("fact", "user_id", name=op.f("uq_notice_fact_user_id")),
    )
    op.create_index("ix_notice_booking_id", "notice", ["booking_id"], unique=False)
    op.create_index("ix_notice_created_at", "notice", ["created_at"], unique=False)
    op.create_index(
        "ix_notice_unread", "notice", ["user_id"], unique=False, postgresql_where=sa.text("read_at IS NULL")
    )
    op.create_index("ix_notice_user_id_id", "notice", ["user_id", "id"], unique=False)
    op.create_table(
        "preference",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("channels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_to", sa.Time(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_preference")),
    )
    op.create_table(
        "trip",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("payment_required_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_trip")),
    )
    op.create_index(op.f("ix_trip_ends_at"), "trip", ["ends_at"], unique=False)
    op.create_index(
        "ix_trip_payment_required_by",
        "trip",
        ["payment_required_by"],
        unique=False,
        postgresql_where=sa.text("status = 'pending_payment'"),
    )
    op.create_index(op.f("ix_trip_user_id"), "trip", ["user_id"], unique=False)
    op.create_table(
        "trip_document",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("storage_key", sa.String(length=512), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trip_document")),
        sa.UniqueConstraint("booking_id", "storage_key", name=op.f("uq_trip_document_booking_id_storage_key")),
    )
    op.create_index(op.f("ix_trip_document_received_at"), "trip_document", ["received_at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("waits_for", sa.String(length=20), nullable=True),
        sa.Column("waits_after", sa.BigInteger(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("resends", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("channel IN ('email', 'sms', 'push')", name=op.f("ck_delivery_channel")),
        sa.CheckConstraint("state IN ('waiting', 'queued', 'sending', 'sent', 'dead')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
        sa.UniqueConstraint("notice_id", "channel", "address", name=op.f("uq_delivery_notice_id_channel_address")),
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'queued', 'sending')"),
    )
    op.create_index("ix_delivery_state_id", "delivery", ["state", "id"], unique=False)
    op.create_index(
        "ix_delivery_waiting", "delivery", ["booking_id"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "reminder_given",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("flight_id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["trip.booking_id"], name=op.f("fk_reminder_given_booking_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", "kind", "flight_id", name=op.f("pk_reminder_given")),
    )
    op.create_table(
        "trip_flight",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("flight_id", sa.Uuid(), nullable=False),
        sa.Column("departs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("departed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["trip.booking_id"], name=op.f("fk_trip_flight_booking_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", "flight_id", name=op.f("pk_trip_flight")),
    )
    op.create_index(op.f("ix_trip_flight_departs_at"), "trip_flight", ["departs_at"], unique=False)
    op.create_index("ix_trip_flight_flight_id", "trip_flight", ["flight_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_trip_flight_flight_id", table_name="trip_flight")
    op.drop_index(op.f("ix_trip_flight_departs_at"), table_name="trip_flight")
    op.drop_table("reminder_given")
    op.drop_table("trip_flight")
    op.drop_index("ix_delivery_waiting", table_name="delivery", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index("ix_delivery_state_id", table_name="delivery")
    op.drop_index(
        "ix_delivery_due", table_name="delivery", postgresql_where=sa.text("state IN ('waiting', 'queued', 'sending')")
    )
    op.drop_table("delivery")
    op.drop_index(op.f("ix_trip_document_received_at"), table_name="trip_document")
    op.drop_table("trip_document")
    op.drop_index(op.f("ix_trip_user_id"), table_name="trip")
    op.drop_index(
        "ix_trip_payment_required_by", table_name="trip", postgresql_where=sa.text("status = 'pending_payment'")
    )
    op.drop_index(op.f("ix_trip_ends_at"), table_name="trip")
    op.drop_table("trip")
    op.drop_table("preference")
    op.drop_index("ix_notice_user_id_id", table_name="notice")
    op.drop_index("ix_notice_unread", table_name="notice", postgresql_where=sa.text("read_at IS NULL"))
    op.drop_index("ix_notice_created_at", table_name="notice")
    op.drop_index("ix_notice_booking_id", table_name="notice")
    op.drop_table("notice")
    op.drop_table("inbox_sequence")
    op.drop_index(op.f("ix_inbox_received_at"), table_name="inbox")
    op.drop_table("inbox")
    op.drop_index(op.f("ix_flight_news_departs_at"), table_name="flight_news")
    op.drop_table("flight_news")
    op.drop_index(op.f("ix_device_user_id"), table_name="device")
    op.drop_table("device")
    op.drop_table("contact")
    op.drop_index(op.f("ix_code_request_received_at"), table_name="code_request")
    op.drop_table("code_request")
