"""Sign-ins that went to a provider and have not come back, and accounts linked to providers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class OidcAttempt(Base):
    """One trip to a provider. State and ticket are kept as hashes; nonce and PKCE verifier are derived from the state.

    A trip that began with `return_to` ends with a ticket: `identity` then holds what the provider said, until the
    client that began (it knows the verifier of `client_challenge`) signs in with it or links it.
    """

    __tablename__ = "oidc_attempt"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    provider: Mapped[str] = mapped_column(String(40))
    return_to: Mapped[str | None] = mapped_column(String(500))
    client_challenge: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    ticket_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    identity: Mapped[dict[str, Any] | None]


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
