"""Sign-ins that went to a provider and have not come back, and accounts linked to providers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class OidcAttempt(Base):
    """One trip to a provider. The state is kept as a hash; nonce and PKCE verifier are derived from it."""

    __tablename__ = "oidc_attempt"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    link_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    return_to: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class LinkedIdentity(Base):
    """A provider's subject that signs in to an account."""

    __tablename__ = "linked_identity"
    __table_args__ = (UniqueConstraint("account_id", "provider"),)

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    email: Mapped[str | None] = mapped_column(String(254))
    linked_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
