"""Every query on endpoints, and on deliveries as their owners see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.partner_webhooks.rules import Owner
from notification_service.partner_webhooks.tables import webhook_delivery, webhook_endpoint, webhook_event

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 61))")


async def lock_endpoints_of(session: AsyncSession, owner: Owner) -> None:
    """One endpoint of an organisation is made at a time, so that the most it may have is a limit."""
    await session.execute(_LOCK, {"key": f"{owner.organisation_id}:{owner.test_mode}"})


async def count_endpoints(session: AsyncSession, owner: Owner) -> int:
    """How many the organisation has in this mode."""
    query = select(func.count()).select_from(webhook_endpoint).where(_owned_by(owner))
    return int((await session.execute(query)).scalar_one())


async def list_endpoints(session: AsyncSession, owner: Owner, *, before: UUID | None, limit: int) -> Sequence[Any]:
    """The newest first."""
    query = select(webhook_endpoint).where(_owned_by(owner)).order_by(webhook_endpoint.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(webhook_endpoint.c.id < before)
    return (await session.execute(query)).all()


async def find_endpoint(session: AsyncSession, owner: Owner, endpoint_id: UUID, *, lock: bool = False) -> Any:
    """The organisation's own endpoint. Locked, nothing is queued for it and no outcome recorded meanwhile."""
    query = select(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id, _owned_by(owner))
    return (await session.execute(query.with_for_update(key_share=True) if lock else query)).one_or_none()


async def lock_endpoint(session: AsyncSession, endpoint_id: UUID) -> Any:
    """Whosever it is; before its deliveries are written, so that two who do both take them in one order."""
    query = select(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id)
    return (await session.execute(query.with_for_update(key_share=True))).one_or_none()


async def change_endpoint(session: AsyncSession, endpoint_id: UUID, **values: Any) -> Any:
    """Write values; the endpoint as it is then."""
    statement = update(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id).values(values)
    return (await session.execute(statement.returning(webhook_endpoint))).one()


async def remove_endpoint(session: AsyncSession, owner: Owner, endpoint_id: UUID) -> bool:
    """With its deliveries, pending ones among them."""
    statement = delete(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id, _owned_by(owner))
    return (await session.execute(statement.returning(webhook_endpoint.c.id))).first() is not None


async def forget_organisation(session: AsyncSession, organisation_id: UUID) -> None:
    """Endpoints, their deliveries, and what was told."""
    mine = select(webhook_endpoint.c.id).where(webhook_endpoint.c.organisation_id == organisation_id)
    await session.execute(mine.order_by(webhook_endpoint.c.id).with_for_update())
    await session.execute(delete(webhook_endpoint).where(webhook_endpoint.c.organisation_id == organisation_id))
    await session.execute(delete(webhook_event).where(webhook_event.c.organisation_id == organisation_id))


async def end_pending(session: AsyncSession, endpoint_id: UUID, *, now: datetime, reason: str) -> None:
    """What waits for its next try, or was held by a worker that died, is given up; its owner may send it again."""
    waiting = or_(
        webhook_delivery.c.state == "queued",
        and_(webhook_delivery.c.state == "sending", webhook_delivery.c.due_at <= now),
    )
    await session.execute(
        update(webhook_delivery)
        .where(webhook_delivery.c.endpoint_id == endpoint_id, waiting)
        .values(state="dead", settled_at=now, last_error=reason)
    )


async def list_deliveries(
    session: AsyncSession,
    endpoint_id: UUID,
    *,
    state: str | None,
    event_type: str | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """The newest first."""
    query = _deliveries(endpoint_id).order_by(webhook_delivery.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(webhook_delivery.c.state == state)
    if event_type is not None:
        query = query.where(webhook_event.c.type == event_type)
    if before is not None:
        query = query.where(webhook_delivery.c.id < before)
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


async def find_delivery(session: AsyncSession, endpoint_id: UUID, delivery_id: UUID, *, lock: bool = False) -> Any:
    """One delivery to this endpoint."""
    query = _deliveries(endpoint_id).where(webhook_delivery.c.id == delivery_id)
    return (await session.execute(query.with_for_update(of=webhook_delivery) if lock else query)).one_or_none()


async def queue_again(session: AsyncSession, delivery_id: UUID, now: datetime) -> None:
    """Try it now, and for three days from now."""
    await session.execute(
        update(webhook_delivery)
        .where(webhook_delivery.c.id == delivery_id)
        .values(state="queued", due_at=now, settled_at=None, attempts_before=webhook_delivery.c.attempts)
    )


def _owned_by(owner: Owner) -> Any:
    return and_(
        webhook_endpoint.c.organisation_id == owner.organisation_id, webhook_endpoint.c.test_mode == owner.test_mode
    )


def _deliveries(endpoint_id: UUID) -> Select[Any]:
    query = select(webhook_delivery, webhook_event.c.type, webhook_event.c.payload)
    query = query.join(webhook_event, webhook_event.c.id == webhook_delivery.c.event_id)
    return query.where(webhook_delivery.c.endpoint_id == endpoint_id)
