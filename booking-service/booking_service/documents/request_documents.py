"""Ask for documents, inside the transaction that makes them necessary: no booking is confirmed without its job."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.documents.kinds import DocumentKind, Order
from booking_service.documents.store import add_job, void_passes


async def request_documents(
    session: AsyncSession,
    booking_id: UUID,
    kinds: Sequence[DocumentKind],
    *,
    now: datetime,
    cause: str = "confirmed",
    refund_id: UUID | None = None,
    due_at: datetime | None = None,
) -> None:
    """Queue one job. `cause`: `confirmed`, `cancelled` or `changed`; a refund receipt needs `refund_id`. `due_at`: when
    it must be made, if it may stand back in a rush.
    """
    orders = [Order(kind, refund_id=refund_id if kind is DocumentKind.REFUND_RECEIPT else None) for kind in kinds]
    await add_job(session, booking_id, cause, orders, now, due_at=due_at)


async def request_boarding_passes(
    session: AsyncSession, booking_id: UUID, pairs: Sequence[tuple[UUID, UUID]], *, now: datetime
) -> None:
    """Queue one job for the passes of these (passenger id, flight id), which are checked in by this transaction."""
    orders = [
        Order(DocumentKind.BOARDING_PASS, passenger_id=passenger_id, flight_id=flight_id)
        for passenger_id, flight_id in pairs
    ]
    await add_job(session, booking_id, "checked_in", orders, now)


async def void_boarding_passes(
    session: AsyncSession, booking_id: UUID, pairs: Sequence[tuple[UUID, UUID]], *, now: datetime
) -> None:
    """The passes of these (passenger id, flight id) count no more: the check-in was undone or the seat given back."""
    await void_passes(session, booking_id, [f"{passenger}:{flight}" for passenger, flight in pairs], now)
