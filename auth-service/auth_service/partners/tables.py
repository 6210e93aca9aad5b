"""Partner organisations and their API keys."""

import hmac
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class Organisation(Base):
    """A company that books through the API."""

    __tablename__ = "organisation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Membership(Base):
    """A person acts for one organisation at most."""

    __tablename__ = "membership"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), index=True)
    joined_at: Mapped[datetime]


class ApiKey(Base):
    """A key of an organisation, made by one of its people. `prefix` is public, the key itself only a keyed hash.

    `unpaid_bookings`: how many it may keep unpaid at once by its contract; null for what is usual.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("rate_limit_per_minute > 0", name="rate_limit_per_minute"),
        CheckConstraint("unpaid_bookings > 0", name="unpaid_bookings"),
        Index("ix_api_key_account_id_id", "account_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(20), unique=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    test_mode: Mapped[bool]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(40)))
    rate_limit_per_minute: Mapped[int] = mapped_column(Integer)
    unpaid_bookings: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def matches(self, key_hash: bytes) -> bool:
        """Whether this is the key's hash, compared in constant time."""
        return hmac.compare_digest(self.key_hash, key_hash)

    def holds(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
