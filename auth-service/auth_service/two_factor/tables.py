"""Second factors: the TOTP secret, recovery codes, and sign-ins that wait for one of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from auth_service.base import Base


class TotpDevice(Base):
    """An authenticator app. It counts from `confirmed_at`; `last_step` makes each of its codes good for one use."""

    __tablename__ = "totp_device"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    secret_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)


class RecoveryCode(Base):
    """One of ten codes for the day the telephone is lost."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("uq_recovery_code_account_id_code_hash", "account_id", "code_hash", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None]


class MfaChallenge(Base):
    """A sign-in whose first factor was right. The token is kept as a hash; five tries, five minutes, one use."""

    __tablename__ = "mfa_challenge"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    methods: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    used_at: Mapped[datetime | None]
