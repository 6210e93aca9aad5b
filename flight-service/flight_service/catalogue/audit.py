"""The audit trail of what admins change, written in the change's own transaction."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.catalogue.tables import admin_audit
from rihla.db import Database
from rihla.kernel import new_id

Action = Literal["create", "change", "remove"]


async def add_audit(
    session: AsyncSession,
    *,
    actor: UUID,
    action: Action,
    resource: str,
    resource_id: object,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Note who changed what. Values may be anything JSON or a database knows."""
    await session.execute(
        admin_audit.insert().values(
            id=new_id(),
            at=now,
            actor=actor,
            action=action,
            resource=resource,
            resource_id=str(resource_id),
            before=_plain(before),
            after=_plain(after),
        )
    )


async def read_audit(db: Database, resource: str, resource_id: str) -> list[dict[str, Any]]:
    """The newest hundred changes of one thing."""
    wanted = (
        select(admin_audit)
        .where(admin_audit.c.resource == resource, admin_audit.c.resource_id == resource_id)
        .order_by(admin_audit.c.at.desc(), admin_audit.c.id.desc())
        .limit(100)
    )
    async with db.transaction() as session:
        return [dict(row) for row in (await session.execute(wanted)).mappings()]


def _plain(values: dict[str, Any] | None) -> Any:
    return None if values is None else msgspec.to_builtins(values, enc_hook=str)
