"""Registrations that wait for their code."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class Registration(Base):
    """What a person typed, bound to the request whose code turns it into an account.

    It is stored in the same way whether or not the address has an account already, so that neither the answer nor
    its time can tell.
    """

    __tablename__ = "registration"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("code_request.id", ondelete="CASCADE"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
