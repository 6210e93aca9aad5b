"""Redeem a code: once, five tries, before it expires, and only for what it was asked for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.codes import store
from auth_service.codes.rules import CodePolicy, Purpose, code_of, same_code
from auth_service.codes.tables import CodeRequest


async def redeem_code(
    session: AsyncSession,
    *,
    purpose: Purpose,
    identifier: str,
    code: str,
    now: datetime,
    policy: CodePolicy,
    secret: bytes,
    request_id: UUID | None = None,
) -> CodeRequest | None:
    """The request this code answers, now used up; None when it answers none, and then the try has been counted.

    Part of the caller's transaction, which must commit in both cases. The row is locked, so that of two who come
    at once one gets None. `request_id`, when the caller knows it, must be the request's own.
    """
    request = await store.latest_request(session, purpose, identifier, lock=True)
    if request is None or request.used_at is not None or request.expires_at <= now or request.tries >= policy.tries:
        return None
    request.tries += 1
    expected = code_of(secret, purpose=purpose, identifier=identifier, request_id=request.id)
    if not same_code(code, expected) or request_id not in (None, request.id):
        return None
    request.used_at = now
    return request
