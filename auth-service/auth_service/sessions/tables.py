"""Sessions (one refresh family each) and the feed of what has been revoked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class Session(Base):
    """A device signed in. Its id is the `sid` of access tokens and the family of refresh tokens."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("generation >= 0", name="generation"),
        Index("ix_session_live", "account_id", "id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    generation: Mapped[int] = mapped_column(Integer, default=0)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    rotated_at: Mapped[datetime]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    device: Mapped[str] = mapped_column(String(120))
    client_ip: Mapped[str | None] = mapped_column(String(45))
    methods: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    second_factor_at: Mapped[datetime | None]
    """When a second factor was last proved in this session."""
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(30))


class Revocation(Base):
    """One line of the feed gateways follow. `seq` grows in commit order (see `revoke.py`)."""

    __tablename__ = "revocation"
    __table_args__ = (CheckConstraint("kind IN ('session', 'user', 'api_key')", name="kind"),)

    seq: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(index=True)
