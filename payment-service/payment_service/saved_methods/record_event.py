"""Apply a provider's word on a saved method, in the transaction that stores the event."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.providers.interface import ProviderEvent
from payment_service.saved_methods import store
from payment_service.saved_methods.tables import saved_method


async def record_event(
    session: AsyncSession, provider: str, event: ProviderEvent, *, now: datetime
) -> Literal["handled", "ignored"]:
    """Our row is there before the provider is asked for anything: one that is not there was erased, or is not ours."""
    query = select(saved_method.c.provider, saved_method.c.reference).where(saved_method.c.id == event.key)
    row = (await session.execute(query)).one_or_none()
    if event.key is None or row is None or row.provider != provider:
        return "ignored"
    if event.saved == "detached":
        known = await store.erase(session, event.key, only=("active", "removing"))
        return "handled" if known else "ignored"
    values: dict[str, Any] = {"due_at": now, "attempts": 0, "reference": row.reference or event.reference}
    known = event.saved == "failed" and await store.change(
        session, event.key, only=("pending",), status="failed", **values
    )
    known = known or await store.change(session, event.key, only=("pending", "failed"), **values)
    return "handled" if known else "ignored"
