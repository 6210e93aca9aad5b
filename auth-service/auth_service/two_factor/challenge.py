"""A sign-in whose first factor was right and whose account asks for a second one."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.two_factor import store
from auth_service.two_factor.tables import MfaChallenge
from rihla.kernel import new_id

LIFETIME = timedelta(minutes=5)
TRIES = 5


@dataclass(frozen=True, slots=True)
class MfaRequired:
    """The first factor was right; `mfa_token` goes to POST /v1/auth/mfa with a second one."""

    mfa_token: str
    expires_in: int


async def challenge_if_needed(
    session: AsyncSession, account_id: UUID, *, method: str, now: datetime
) -> MfaRequired | None:
    """A stored challenge when two-factor sign-in is on, in the caller's transaction."""
    device = await store.totp_device(session, account_id)
    if device is None or device.confirmed_at is None:
        return None
    token = "mfa_" + secrets.token_urlsafe(32)
    session.add(
        MfaChallenge(
            id=new_id(),
            account_id=account_id,
            token_hash=mfa_token_hash(token),
            methods=[method],
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return MfaRequired(token, int(LIFETIME.total_seconds()))


def mfa_token_hash(token: str) -> bytes:
    """What is stored of an MFA token."""
    return hashlib.sha256(token.encode()).digest()
