"""Every query on devices."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.devices.tables import device
from rihla.kernel import new_id


async def register_device(
    session: AsyncSession,
    user_id: UUID,
    *,
    session_id: UUID | None,
    platform: str,
    token: str,
    name: str | None,
    now: datetime,
) -> RowMapping:
    """Keep the token. One that another user had moves over: the device changed hands, or somebody signed in on it."""
    values = {"user_id": user_id, "session_id": session_id, "platform": platform, "name": name, "registered_at": now}
    statement = (
        insert(device)
        .values(id=new_id(), token=token, **values)
        .on_conflict_do_update(index_elements=["token"], set_=values)
        .returning(*device.c)
    )
    return (await session.execute(statement)).mappings().one()


async def list_devices(session: AsyncSession, user_id: UUID) -> Sequence[RowMapping]:
    """The user's devices, oldest first."""
    query = select(device).where(device.c.user_id == user_id).order_by(device.c.id)
    return (await session.execute(query)).mappings().all()


async def remove_device(session: AsyncSession, user_id: UUID, device_id: UUID) -> bool:
    """Forget a device; False when the user has no such device."""
    statement = delete(device).where(device.c.id == device_id, device.c.user_id == user_id).returning(device.c.id)
    return (await session.execute(statement)).first() is not None


async def forget_session(session: AsyncSession, session_id: UUID) -> None:
    """Somebody signed out there, or was signed out: the device gets no more push messages."""
    await session.execute(delete(device).where(device.c.session_id == session_id))


async def forget_token(session: AsyncSession, token: str) -> None:
    """Its provider says that the token has ended."""
    await session.execute(delete(device).where(device.c.token == token))
