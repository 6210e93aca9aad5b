"""Documents of bookings: remember what is ready, and let the mails go that waited for it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.telling.tables import delivery
from notification_service.trips.tables import trip_document
from rihla.contracts.events.booking import DocumentFact


async def lock_booking(session: AsyncSession, booking_id: UUID) -> None:
    """One event of a booking at a time, so that a mail that begins to wait and its documents see each other."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:booking_id AS text), 77))"),
        {"booking_id": str(booking_id)},
    )


async def are_ready(session: AsyncSession, booking_id: UUID, cause: str, *, after: int) -> bool:
    """Whether documents for this cause were told of after that sequence of the booking."""
    found = await session.scalar(
        select(trip_document.c.id)
        .where(
            trip_document.c.booking_id == booking_id,
            trip_document.c.cause == cause,
            trip_document.c.sequence > after,
        )
        .limit(1)
    )
    return found is not None


async def remember_documents(
    session: AsyncSession,
    booking_id: UUID,
    cause: str,
    documents: Sequence[DocumentFact],
    *,
    sequence: int,
    now: datetime,
) -> None:
    """Keep what is ready and queue the mails that waited for it. The caller holds the booking's lock."""
    rows = [
        {
            "booking_id": booking_id,
            "cause": cause,
            "sequence": sequence,
            "document": one.model_dump(mode="json"),
            "storage_key": one.storage_key,
            "received_at": now,
        }
        for one in documents
    ]
    if rows:
        await session.execute(insert(trip_document).on_conflict_do_nothing(), rows)
    await session.execute(
        update(delivery)
        .where(
            delivery.c.booking_id == booking_id,
            delivery.c.state == "waiting",
            delivery.c.waits_for == cause,
            delivery.c.waits_after < sequence,
        )
        .values(state="queued", due_at=now)
    )
