"""The audit log: who changed what about whom. Rows are never changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class AuditEntry(Base):
    """One change an administrator made."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_user_id_id", "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID]
    action: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]]
    client_ip: Mapped[str | None] = mapped_column(String(45))
    at: Mapped[datetime]
