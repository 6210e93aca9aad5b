"""Write the audit log, in the transaction of the change it tells of."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from auth_service.administration.tables import AuditEntry
from auth_service.sessions.visitor import Visitor
from rihla.auth import Principal
from rihla.kernel import new_id


async def record(
    session: AsyncSession,
    actor: Principal,
    action: str,
    user_id: UUID | None,
    details: dict[str, Any],
    visitor: Visitor,
    now: datetime,
) -> None:
    """Who did what about whom, from where. `details` holds no personal data."""
    session.add(
        AuditEntry(
            id=new_id(),
            actor_id=actor.user_id,
            action=action,
            user_id=user_id,
            details=details,
            client_ip=visitor.client_ip,
            at=now,
        )
    )
    await session.flush()
