"""Every query on deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.telling.tables import delivery, notice
from rihla.contracts.events.booking import DocumentFact

LEASE = timedelta(seconds=120)

_CLAIM = text(
    "WITH due AS (SELECT id FROM delivery WHERE state IN ('waiting', 'queued', 'sending') AND due_at <= :now "
    "ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED), "
    "taken AS (UPDATE delivery d SET state = 'sending', attempts = d.attempts + 1, due_at = :lease_until FROM due "
    "WHERE d.id = due.id RETURNING d.*) "
    "SELECT t.id, t.channel, t.address, t.message_id, t.attempts, t.due_at, t.created_at, "
    "n.id AS notice_id, n.user_id, n.kind, n.locale, n.facts, n.booking_id, "
    # The first documents told of after the fact, for the mails that attach some.
    "(SELECT coalesce(jsonb_agg(d.document ORDER BY d.id), '[]') FROM trip_document d "
    "WHERE d.booking_id = t.booking_id AND d.cause = t.waits_for AND d.sequence = ("
    "SELECT min(e.sequence) FROM trip_document e "
    "WHERE e.booking_id = t.booking_id AND e.cause = t.waits_for AND e.sequence > t.waits_after)) AS documents "
    "FROM taken t JOIN notice n ON n.id = t.notice_id ORDER BY t.created_at, t.id"
)
_SETTLE = text(
    "UPDATE delivery d SET state = 'sent', sent_at = :now, provider_id = g.provider_id, last_error = NULL "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS int[]), CAST(:providers AS text[])) "
    "AS g (id, attempts, provider_id) WHERE d.id = g.id AND d.attempts = g.attempts AND d.state = 'sending'"
)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery this worker holds until `lease_until`."""

    id: UUID
    channel: str
    address: str = field(repr=False)
    message_id: str
    attempts: int
    due_at: datetime
    created_at: datetime
    notice_id: UUID
    user_id: UUID
    kind: str
    locale: str
    facts: Mapping[str, Any] = field(repr=False)
    booking_id: UUID | None
    documents: tuple[DocumentFact, ...] = field(repr=False)


async def claim_due(session: AsyncSession, *, now: datetime, most: int) -> list[Due]:
    """Take deliveries that are due, whose wait is over, or whose worker died; other workers skip them."""
    rows = await session.execute(_CLAIM, {"now": now, "lease_until": now + LEASE, "most": most})
    return [_due(row) for row in rows.mappings()]


def _due(row: RowMapping) -> Due:
    documents = tuple(DocumentFact.model_validate(one) for one in row["documents"])
    return Due(**{**row, "documents": documents})


async def settle_sent(session: AsyncSession, sent: Sequence[tuple[Due, str]], now: datetime) -> None:
    """Record what the providers accepted."""
    await session.execute(
        _SETTLE,
        {
            "now": now,
            "ids": [due.id for due, _ in sent],
            "attempts": [due.attempts for due, _ in sent],
            "providers": [provider_id[:200] for _, provider_id in sent],
        },
    )


async def put_back(session: AsyncSession, due: Due, *, state: str, due_at: datetime, error: str) -> None:
    """Queue again for `due_at`, or set aside as dead; the error stays visible."""
    await session.execute(
        update(delivery)
        .where(delivery.c.id == due.id, delivery.c.state == "sending", delivery.c.attempts == due.attempts)
        .values(state=state, due_at=due_at, last_error=error[:500])
    )


def _listing() -> Select[Any]:
    columns = delivery.c
    return select(
        columns.id,
        columns.channel,
        columns.address,
        columns.state,
        columns.attempts,
        columns.due_at,
        columns.created_at,
        columns.sent_at,
        columns.provider_id,
        columns.last_error,
        columns.message_id,
        columns.resends,
        notice.c.kind,
        notice.c.user_id,
        notice.c.booking_id,
    ).join(notice, notice.c.id == columns.notice_id)


async def list_deliveries(
    session: AsyncSession,
    *,
    state: str | None,
    channel: str | None,
    booking_id: UUID | None,
    user_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[RowMapping]:
    """Newest first, `before` an id."""
    query = _listing().order_by(delivery.c.id.desc()).limit(limit)
    for column, value in (
        (delivery.c.state, state),
        (delivery.c.channel, channel),
        (notice.c.booking_id, booking_id),
        (notice.c.user_id, user_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(delivery.c.id < before)
    return list((await session.execute(query)).mappings())


async def find_delivery(session: AsyncSession, delivery_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One delivery with its notice's facts."""
    query = _listing().add_columns(notice.c.fact).where(delivery.c.id == delivery_id)
    if lock:
        query = query.with_for_update(of=delivery)
    return (await session.execute(query)).mappings().one_or_none()


async def find_mail_of(session: AsyncSession, user_id: UUID, notice_id: UUID) -> RowMapping | None:
    """The mail of somebody's notice, locked."""
    query = _listing().add_columns(notice.c.fact)
    query = query.where(notice.c.id == notice_id, notice.c.user_id == user_id, delivery.c.channel == "email")
    return (await session.execute(query.with_for_update(of=delivery))).mappings().first()


async def queue_again(session: AsyncSession, delivery_id: UUID, *, message_id: str, now: datetime) -> None:
    """Send once more, as a message of its own."""
    await session.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id)
        .values(
            state="queued",
            due_at=now,
            attempts=delivery.c.attempts + 1,
            resends=delivery.c.resends + 1,
            message_id=message_id,
            last_error=None,
        )
    )
