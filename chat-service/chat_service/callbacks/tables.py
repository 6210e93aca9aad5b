"""Requests to be called. Each slot has so many places; a live request sits on one of them."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, String, Table, Uuid, text

from chat_service.tables_base import metadata

_LIVE = text("status IN ('requested', 'claimed')")

callback_request = Table(
    "callback_request",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("phone", String(20), nullable=False),
    Column("language", String(35), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("slot_at", DateTime(timezone=True), nullable=False),
    Column("place", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("assignee_id", Uuid),
    Column("note", String(1000)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('requested', 'claimed', 'done', 'missed', 'cancelled')", name="status"),
    CheckConstraint("place >= 0", name="place"),
    Index("uq_callback_request_place", "slot_at", "place", unique=True, postgresql_where=_LIVE),
    Index("uq_callback_request_live_user", "user_id", unique=True, postgresql_where=_LIVE),
    Index("ix_callback_request_queue", "slot_at", "id"),
)
