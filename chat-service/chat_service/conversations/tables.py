"""One conversation for each traveller; messages are numbered within it.

`transaction_id` and `position` order messages over all conversations so that a reader can follow them without loss:
a row whose transaction is older than every running one can be followed by no earlier row (`store.read_feed`).
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from chat_service.tables_base import metadata

conversation = Table(
    "conversation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False, unique=True),
    Column("language", String(35), nullable=False),
    Column("status", String(10), nullable=False),
    Column("assignee_id", Uuid, index=True),
    Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("last_message_at", DateTime(timezone=True)),
    Column("waiting_since", DateTime(timezone=True)),
    Column("traveller_delivered_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("traveller_seen_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("traveller_unread", Integer, nullable=False, server_default=text("0")),
    # Up to here the traveller was told elsewhere that words wait; nothing more until they have seen as much.
    Column("told_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("staff_delivered_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("staff_seen_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("staff_unread", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status IN ('idle', 'waiting', 'assigned')", name="status"),
    CheckConstraint("(status = 'assigned') = (assignee_id IS NOT NULL)", name="assignee"),
    CheckConstraint("traveller_seen_seq <= last_seq AND staff_seen_seq <= last_seq", name="seen"),
    Index("ix_conversation_newest", "last_message_at", "id"),
    Index(
        "ix_conversation_untold",
        "last_message_at",
        postgresql_where=text("traveller_unread > 0 AND told_seq <= traveller_seen_seq"),
    ),
)

message = Table(
    "message",
    metadata,
    Column("conversation_id", Uuid, ForeignKey("conversation.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("id", Uuid, nullable=False, unique=True),
    Column("sender_kind", String(10), nullable=False),
    Column("sender_id", Uuid),
    Column("client_id", String(64)),
    Column("type", String(10), nullable=False),
    Column("text", Text),
    Column("attachment_id", Uuid, ForeignKey("attachment.id")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("transaction_id", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text::bigint)")),
    Column("position", BigInteger, Identity(), nullable=False),
    PrimaryKeyConstraint("conversation_id", "seq"),
    UniqueConstraint("conversation_id", "sender_id", "client_id"),
    CheckConstraint("sender_kind IN ('traveller', 'staff', 'assistant', 'system')", name="sender_kind"),
    CheckConstraint("type IN ('text', 'image', 'voice', 'notice')", name="type"),
    CheckConstraint("length(text) <= 4000", name="text_length"),
    CheckConstraint("(type IN ('image', 'voice')) = (attachment_id IS NOT NULL)", name="attachment"),
    Index("ix_message_feed", "transaction_id", "position"),
)
