"""Requests for one-time codes: the intent is stored, the code never is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class CodeRequest(Base):
    """Somebody asked for a code to be sent to `identifier`.

    `waiting` until the sender takes it and hands the code over (`sending`); then `sent`, or `answered` when there
    was nothing to send, or `failed` when its time ran out. The code itself is derived from the row (see `rules.py`).
    The identifier's newest request of a purpose is the only one whose code counts.
    """

    __tablename__ = "code_request"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'sending', 'sent', 'answered', 'failed')", name="status"),
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_code_request_identifier_purpose_created_at", "identifier", "purpose", "created_at"),
        Index("ix_code_request_client_ip_created_at", "client_ip", "created_at"),
        Index("ix_code_request_due", "next_attempt_at", postgresql_where=text("status IN ('waiting', 'sending')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    identifier: Mapped[str] = mapped_column(String(254))
    channel: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[UUID | None]
    locale: Mapped[str] = mapped_column(String(35))
    client_ip: Mapped[str | None] = mapped_column(String(45))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    used_at: Mapped[datetime | None]
    deliveries: Mapped[int] = mapped_column(SmallInteger, default=0)
    next_attempt_at: Mapped[datetime]
