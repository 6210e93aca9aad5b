"""Receive a provider's webhook: verify, store once, apply in the same transaction."""

import asyncio
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store as payments
from payment_service.payments.asked import Taking
from payment_service.payments.desk import PaymentDesk
from payment_service.payments.settle import record_taking
from payment_service.providers.interface import ProviderEvent, RawWebhook
from payment_service.providers.registry import Providers
from payment_service.refunds.record_refund import record_refund
from payment_service.saved_methods.record_event import record_event
from payment_service.webhooks.tables import provider_event
from rihla.db import Database
from rihla.kernel import Clock, new_id
from rihla.telemetry import Counter

Result = Literal["handled", "ignored", "pending", "repeated"]

_RECEIVED = Counter("rihla_webhooks_total", "Webhooks of payment providers", ["provider", "result"])
_PAUSE = timedelta(seconds=5)
# An event about something we still do not know after a day is about something that is not ours.
_PATIENCE = timedelta(hours=24)


async def receive(
    db: Database, desk: PaymentDesk, providers: Providers, clock: Clock, provider: str, raw: RawWebhook
) -> None:
    """Handle each event of a webhook once. Raises InvalidSignature before anything is read or stored, and whatever kept
    an event from being handled once the others are: the provider tells of all of them again.
    """

    async def handle(event: ProviderEvent) -> None:
        result = await _at_the_desk(desk, provider, event) or await _in_full(db, provider, event, clock.now())
        _RECEIVED.labels(provider, result).inc()

    events = providers.get(provider).read_webhook(raw, clock.now())
    ends = await asyncio.gather(*(handle(event) for event in events), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end


async def _at_the_desk(desk: PaymentDesk, provider: str, event: ProviderEvent) -> Result | None:
    """Plain successes and what is only kept share their writes with other payments; None when it needs more."""
    if event.about == "taking" and event.taking is not None and event.taking.status == "succeeded":
        asked = Taking(provider, event.key, event.reference, event.taking, event=event)
    elif event.about == "other":
        asked = Taking(provider, None, None, None, event=event)
    else:
        return None
    answer = await desk.ask(asked)
    return cast(Result, answer) if isinstance(answer, str) else None


async def _in_full(db: Database, provider: str, event: ProviderEvent, now: datetime) -> Result:
    async with db.transaction() as session:
        added = await session.execute(
            insert(provider_event)
            .values(
                id=new_id(),
                provider=provider,
                event_id=event.event_id,
                type=event.type,
                facts=event.facts(),
                status="pending",
                received_at=now,
                next_attempt_at=now + _PAUSE,
            )
            .on_conflict_do_nothing(index_elements=["provider", "event_id"])
            .returning(provider_event.c.id)
        )
        row_id = added.scalar_one_or_none()
        if row_id is None:
            result: Result = "repeated"
        else:
            result = await _apply(session, provider, event, now)
            if result != "pending":
                ended = {"status": result, "handled_at": now, "facts": event.facts(again=False)}
                await session.execute(update(provider_event).where(provider_event.c.id == row_id).values(ended))
    return result


async def _apply(session: AsyncSession, provider: str, event: ProviderEvent, now: datetime) -> Result:
    """The effect; `pending` while we do not know what it is about (it may come before our own commit)."""
    if event.about == "taking" and event.taking is not None:
        part = await payments.find_part(session, key=event.key, provider=provider, reference=event.reference)
        if part is None:
            return "pending"
        if part.provider != provider:
            return "ignored"
        await record_taking(session, part, event.taking, now=now)
        return "handled"
    if event.about == "refund" and event.refund is not None and event.key is not None:
        known = await record_refund(session, event.key, event.refund, now=now)
        return "handled" if known is not None else "pending"
    if event.about == "method":
        return await record_event(session, provider, event, now=now)
    return "ignored"


async def retry_pending(db: Database, clock: Clock, *, limit: int = 100) -> int:
    """Try stored events again that could not be applied when they came; how many were tried."""
    now = clock.now()
    async with db.transaction() as session:
        rows = (
            await session.execute(
                select(provider_event)
                .where(provider_event.c.status == "pending", provider_event.c.next_attempt_at <= now)
                .order_by(provider_event.c.next_attempt_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
        ).all()
        for row in rows:
            event = ProviderEvent.from_facts(row.event_id, row.type, row.facts)
            result = await _apply(session, row.provider, event, now)
            ended = {"facts": event.facts(again=False), "handled_at": now}
            values: dict[str, object] = {"status": result, "attempts": row.attempts + 1, **ended}
            if result == "pending":
                values = {"attempts": row.attempts + 1, "next_attempt_at": now + _PAUSE * 2 ** min(row.attempts, 10)}
                if now - row.received_at > _PATIENCE:
                    values = {"status": "ignored", "note": "about nothing of ours", **ended}
            await session.execute(update(provider_event).where(provider_event.c.id == row.id).values(values))
    return len(rows)
