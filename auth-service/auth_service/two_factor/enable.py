"""Turn two-factor sign-in on and off, and make new recovery codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.bootstrap import Container
from auth_service.passwords.change import prove_password
from auth_service.people.find import account_of
from auth_service.people.tell import notice
from auth_service.problems import InvalidCode, InvalidCredentials, TwoFactorAlreadyOn, TwoFactorNotOn
from auth_service.sessions.visitor import Visitor
from auth_service.two_factor import store
from auth_service.two_factor.check_factor import SECRET, check_factor
from auth_service.two_factor.rules import (
    matching_step,
    new_recovery_codes,
    new_secret,
    otpauth_uri,
    recovery_code_hash,
)
from auth_service.two_factor.schemas import TwoFactorState
from auth_service.two_factor.tables import RecoveryCode, TotpDevice
from rihla.kernel import new_id

_WRONG = "The code is not right; check the clock of your telephone."


async def begin_two_factor(c: Container, user_id: UUID, password: str | None, visitor: Visitor) -> tuple[str, str]:
    """A secret and its otpauth URI; it counts once confirmed. Raises TwoFactorAlreadyOn, InvalidCredentials."""
    async with c.db.transaction() as session:
        has_password = (await account_of(session, user_id)).password_hash is not None
    if has_password:
        if password is None:
            raise InvalidCredentials("Send your password as well.")
        await prove_password(c, user_id, password, visitor)
    secret = new_secret()
    async with c.db.transaction() as session:
        account = await account_of(session, user_id, lock=True)
        device = await store.totp_device(session, user_id, lock=True)
        if device is not None and device.confirmed_at is not None:
            raise TwoFactorAlreadyOn("Turn it off first.")
        device = device or TotpDevice(account_id=user_id)
        device.secret_encrypted = c.cipher.encrypt(secret, what=SECRET, owner=user_id)
        device.created_at = c.clock.now()
        device.last_step = 0
        session.add(device)
        label = account.email or account.phone or account.full_name
    return secret, otpauth_uri(secret, account=label)


async def confirm_two_factor(c: Container, user_id: UUID, code: str, visitor: Visitor) -> list[str]:
    """On from now. The recovery codes. Raises TwoFactorNotOn (not begun), TwoFactorAlreadyOn, InvalidCode."""
    await c.attempts.admit(_counted_as(user_id), visitor.client_ip)
    now = c.clock.now()
    codes = None
    async with c.db.transaction() as session:
        device = await store.totp_device(session, user_id, lock=True)
        if device is None:
            raise TwoFactorNotOn("Begin first.")
        if device.confirmed_at is not None:
            raise TwoFactorAlreadyOn("It is on already.")
        secret = c.cipher.decrypt(device.secret_encrypted, what=SECRET, owner=user_id)
        step = matching_step(secret, code, now=now, after=device.last_step)
        if step is not None:
            device.confirmed_at = now
            device.last_step = step
            codes = await _replace_recovery_codes(c, session, user_id)
            await _notice(session, user_id, "two_factor_enabled", visitor, now)
    return await _proven(c, user_id, codes, visitor)


async def disable_two_factor(c: Container, user_id: UUID, code: str, visitor: Visitor) -> None:
    """Off from now, for who has a second factor at hand. Raises TwoFactorNotOn, InvalidCode."""
    now = c.clock.now()
    await c.attempts.admit(_counted_as(user_id), visitor.client_ip)
    done: list[str] | None = None
    async with c.db.transaction() as session:
        if await _right(c, session, user_id, code, now):
            await store.remove_two_factor(session, user_id)
            await _notice(session, user_id, "two_factor_disabled", visitor, now)
            done = []
    await _proven(c, user_id, done, visitor)


async def renew_recovery_codes(c: Container, user_id: UUID, code: str, visitor: Visitor) -> list[str]:
    """Ten new codes; the old ones are good no more. Raises TwoFactorNotOn, InvalidCode."""
    await c.attempts.admit(_counted_as(user_id), visitor.client_ip)
    codes = None
    async with c.db.transaction() as session:
        if await _right(c, session, user_id, code, c.clock.now()):
            codes = await _replace_recovery_codes(c, session, user_id)
    return await _proven(c, user_id, codes, visitor)


async def two_factor_state(c: Container, user_id: UUID) -> TwoFactorState:
    """Whether it is on, and how many recovery codes are left."""
    async with c.db.transaction() as session:
        device = await store.totp_device(session, user_id)
        left = await store.recovery_codes_left(session, user_id)
    return TwoFactorState(enabled=device is not None and device.confirmed_at is not None, recovery_codes_left=left)


async def _right(c: Container, session: AsyncSession, user_id: UUID, code: str, now: datetime) -> bool:
    device = await store.totp_device(session, user_id)
    if device is None or device.confirmed_at is None:
        raise TwoFactorNotOn("Two-factor sign-in is not on.")
    return await check_factor(session, c.cipher, c.code_secret, user_id, code, now) is not None


async def _proven(c: Container, user_id: UUID, codes: list[str] | None, visitor: Visitor) -> list[str]:
    if codes is None:
        await c.attempts.failed(_counted_as(user_id), visitor.client_ip)
        raise InvalidCode(_WRONG)
    await c.attempts.succeeded(_counted_as(user_id), visitor.client_ip)
    return codes


async def _replace_recovery_codes(c: Container, session: AsyncSession, user_id: UUID) -> list[str]:
    await store.remove_recovery_codes(session, user_id)
    codes = new_recovery_codes()
    for code in codes:
        code_hash = recovery_code_hash(c.code_secret, account_id=user_id, code=code)
        session.add(RecoveryCode(id=new_id(), account_id=user_id, code_hash=code_hash))
    return codes


async def _notice(session: AsyncSession, user_id: UUID, kind: str, visitor: Visitor, now: datetime) -> None:
    account = await account_of(session, user_id)
    await notice(session, account, kind, now=now, client_ip=visitor.client_ip, device=visitor.device)


def _counted_as(user_id: UUID) -> str:
    return f"second:{user_id}"
