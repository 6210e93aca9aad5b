"""Is this a right second factor? Inside the caller's transaction, with the device locked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.people.encryption import DataCipher
from auth_service.two_factor import store
from auth_service.two_factor.rules import matching_step, recovery_code_hash

SECRET = "totp-secret"


async def check_factor(
    session: AsyncSession, cipher: DataCipher, recovery_secret: bytes, account_id: UUID, code: str, now: datetime
) -> str | None:
    """`totp` or `recovery_code` when the code is right, and then it is used up; None otherwise."""
    device = await store.totp_device(session, account_id, lock=True)
    if device is None or device.confirmed_at is None:
        return None
    digits = code.replace(" ", "")
    if digits.isascii() and digits.isdigit():
        secret = cipher.decrypt(device.secret_encrypted, what=SECRET, owner=account_id)
        step = matching_step(secret, digits, now=now, after=device.last_step)
        if step is None:
            return None
        device.last_step = step
        return "totp"
    code_hash = recovery_code_hash(recovery_secret, account_id=account_id, code=code)
    return "recovery_code" if await store.use_recovery_code(session, account_id, code_hash, now) else None
