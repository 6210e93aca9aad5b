"""Every query on second factors."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.two_factor.tables import MfaChallenge, RecoveryCode, TotpDevice


async def totp_device(session: AsyncSession, account_id: UUID, *, lock: bool = False) -> TotpDevice | None:
    """The account's authenticator, confirmed or begun."""
    return await session.get(TotpDevice, account_id, with_for_update=lock)


async def challenge(session: AsyncSession, token_hash: bytes, *, lock: bool = False) -> MfaChallenge | None:
    """The sign-in that waits under this token."""
    query = select(MfaChallenge).where(MfaChallenge.token_hash == token_hash)
    found: MfaChallenge | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def use_recovery_code(session: AsyncSession, account_id: UUID, code_hash: bytes, now: datetime) -> bool:
    """Use a recovery code up; False when there is no such unused code."""
    used = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return used.first() is not None


async def recovery_codes_left(session: AsyncSession, account_id: UUID) -> int:
    """How many recovery codes are unused."""
    query = (
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    )
    return int(await session.scalar(query) or 0)


async def remove_two_factor(session: AsyncSession, account_id: UUID) -> None:
    """Forget the authenticator and all recovery codes."""
    await remove_recovery_codes(session, account_id)
    await session.execute(delete(TotpDevice).where(TotpDevice.account_id == account_id))


async def remove_recovery_codes(session: AsyncSession, account_id: UUID) -> None:
    """Forget the recovery codes; new ones take their place."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))


async def forget_challenges(session: AsyncSession, before: datetime) -> None:
    """Drop challenges that expired before an instant."""
    await session.execute(delete(MfaChallenge).where(MfaChallenge.expires_at < before))
