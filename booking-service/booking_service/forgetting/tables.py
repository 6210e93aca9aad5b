"""Who asked to be forgotten."""

from sqlalchemy import Column, DateTime, Index, Table, Uuid

from booking_service.tables_base import metadata

forgotten_person = Table(
    "forgotten_person",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("deleted_at", DateTime(timezone=True), nullable=False),
    # Every booking of the person had ended and was erased by then; null while a journey is still ahead.
    Column("finished_at", DateTime(timezone=True)),
)
Index(
    "ix_forgotten_person_open", forgotten_person.c.deleted_at, postgresql_where=forgotten_person.c.finished_at.is_(None)
)
