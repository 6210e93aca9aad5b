"""Frequent questions in several languages, and who found which helpful."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
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
from sqlalchemy.dialects.postgresql import TSVECTOR

from chat_service.tables_base import metadata

faq_entry = Table(
    "faq_entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", String(80), nullable=False),
    Column("language", String(35), nullable=False),
    Column("category", String(40), nullable=False),
    Column("question", String(300), nullable=False),
    Column("answer", Text, nullable=False),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Column("featured", Boolean, nullable=False, server_default=text("false")),
    Column("published", Boolean, nullable=False, server_default=text("true")),
    Column("views", BigInteger, nullable=False, server_default=text("0")),
    Column("helpful", Integer, nullable=False, server_default=text("0")),
    Column("not_helpful", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    # `simple` knows no language and so treats all four alike; the assistant's rules cut endings themselves.
    Column("words", TSVECTOR, Computed("to_tsvector('simple', question || ' ' || answer)", persisted=True)),
    UniqueConstraint("slug", "language"),
    CheckConstraint("helpful >= 0 AND not_helpful >= 0", name="votes"),
    Index("ix_faq_entry_words", "words", postgresql_using="gin"),
    Index("ix_faq_entry_list", "language", "category", "position", "id"),
)

faq_vote = Table(
    "faq_vote",
    metadata,
    Column("entry_id", Uuid, ForeignKey("faq_entry.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("helpful", Boolean, nullable=False),
    PrimaryKeyConstraint("entry_id", "user_id"),
    Index("ix_faq_vote_user_id", "user_id"),
)
