"""Accounts, travel companions and passports."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class Account(Base):
    """A person. `email` and `phone` are always verified; what is not yet proven waits in `pending_*`."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'deleted')", name="status"),
        CheckConstraint("roles <@ ARRAY['traveller','partner','support','admin']::varchar[]", name="roles"),
        CheckConstraint(
            "status <> 'deleted' OR (email IS NULL AND phone IS NULL AND username IS NULL AND password_hash IS NULL)",
            name="deleted_keeps_no_way_in",
        ),
        Index("ix_account_created_at_id", "created_at", "id"),
        # Support searches by what a person can spell on the telephone: the beginning of an address or of a name.
        Index("ix_account_email_prefix", "email", postgresql_ops={"email": "varchar_pattern_ops"}),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(12), default="active")
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(String(16), unique=True)
    username: Mapped[str | None] = mapped_column(String(30), unique=True)
    pending_email: Mapped[str | None] = mapped_column(String(254))
    pending_phone: Mapped[str | None] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_changed_at: Mapped[datetime | None]
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str | None] = mapped_column(String(500))
    deleted_at: Mapped[datetime | None]

    full_name: Mapped[str] = mapped_column(String(200))
    gender: Mapped[str | None] = mapped_column(String(20))
    date_of_birth: Mapped[date | None]
    nationality: Mapped[str | None] = mapped_column(String(2))
    location: Mapped[str | None] = mapped_column(String(120))
    photo_url: Mapped[str | None] = mapped_column(String(500))
    locale: Mapped[str] = mapped_column(String(35), default="en")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    theme: Mapped[str] = mapped_column(String(10), default="system")
    customer_type: Mapped[str] = mapped_column(String(20), default="individual")
    dietary_needs: Mapped[list[Any]] = mapped_column(default=list)
    assistance_needs: Mapped[list[Any]] = mapped_column(default=list)
    emergency_contact: Mapped[dict[str, Any] | None]
    notification_channels: Mapped[list[Any]] = mapped_column(default=lambda: ["email", "in_app"])


Index(
    "ix_account_full_name_prefix",
    func.lower(Account.full_name).label("name"),
    postgresql_ops={"name": "text_pattern_ops"},
)


class Companion(Base):
    """Somebody an account often travels with."""

    __tablename__ = "companion"
    __table_args__ = (Index("ix_companion_account_id_id", "account_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    given_name: Mapped[str] = mapped_column(String(100))
    surname: Mapped[str] = mapped_column(String(100))
    relationship: Mapped[str] = mapped_column(String(20))
    date_of_birth: Mapped[date | None]
    gender: Mapped[str | None] = mapped_column(String(20))
    frequent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Passport(Base):
    """One passport of one holder: the account itself (`holder_id` = account) or one of its companions.

    The number is stored encrypted (AES-256-GCM), bound to its holder.
    """

    __tablename__ = "passport"
    __table_args__ = (Index("ix_passport_account_id", "account_id"),)

    holder_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    number_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    issuing_country: Mapped[str] = mapped_column(String(2))
    nationality: Mapped[str] = mapped_column(String(2))
    expires_on: Mapped[date]
    visas: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """`country` and `expires_on` of each."""
    updated_at: Mapped[datetime]
