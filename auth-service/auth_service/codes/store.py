"""Every query on code requests."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.codes.tables import CodeRequest

CODES_CHANNEL = "rihla_auth_codes"


async def lock_identifier(session: AsyncSession, identifier: str) -> None:
    """One request at a time for one address, until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 42))"), {"key": identifier})


async def latest_request(
    session: AsyncSession, purpose: str, identifier: str, *, lock: bool = False
) -> CodeRequest | None:
    """The newest request, the only one whose code counts."""
    query = (
        select(CodeRequest)
        .where(CodeRequest.identifier == identifier, CodeRequest.purpose == purpose)
        .order_by(CodeRequest.created_at.desc(), CodeRequest.id.desc())
        .limit(1)
    )
    if lock:
        query = query.with_for_update()
    found: CodeRequest | None = await session.scalar(query)
    return found


async def asked_since(
    session: AsyncSession,
    since: datetime,
    *,
    identifier: str | None = None,
    client_ip: str | None = None,
    channel: str | None = None,
) -> int:
    """How many codes were asked for since an instant."""
    query = select(func.count()).select_from(CodeRequest).where(CodeRequest.created_at > since)
    if identifier is not None:
        query = query.where(CodeRequest.identifier == identifier)
    if client_ip is not None:
        query = query.where(CodeRequest.client_ip == client_ip)
    if channel is not None:
        query = query.where(CodeRequest.channel == channel)
    return int(await session.scalar(query) or 0)


async def wake_sender(session: AsyncSession) -> None:
    """Tell the worker, at commit, that there is something to send."""
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CODES_CHANNEL})


async def take_due(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[CodeRequest]:
    """Requests that wait, or whose sender seems to have died; locked, those of other senders skipped."""
    query = (
        select(CodeRequest)
        .where(CodeRequest.status.in_(("waiting", "sending")), CodeRequest.next_attempt_at <= now)
        .order_by(CodeRequest.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).all()


async def forget_before(session: AsyncSession, instant: datetime) -> None:
    """Drop requests (and registrations that came to nothing) older than an instant."""
    await session.execute(delete(CodeRequest).where(CodeRequest.created_at < instant))
