"""Signing keys that a local stack made for itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class SigningKey(Base):
    """A generated private key. Only `local` uses this table; elsewhere keys come from settings."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(String(60), primary_key=True)
    private_jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
