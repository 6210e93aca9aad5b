"""Queries on changes that several deeds share."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.view import BookingView

_ADD_CHARGE = text(
    "INSERT INTO charge (id, booking_id, kind, amount_minor, currency, state, payable_until, created_at) "
    "VALUES (:id, :booking_id, :kind, :amount, :currency, 'due', :until, :now)"
)


async def add_charge(
    session: AsyncSession,
    charge_id: UUID,
    view: BookingView,
    kind: str,
    amount_minor: int,
    *,
    until: datetime,
    now: datetime,
) -> None:
    """A further charge of the booking, due until `until`."""
    values = {"id": charge_id, "booking_id": view.id, "kind": kind, "amount": amount_minor, "currency": view.currency}
    await session.execute(_ADD_CHARGE, {**values, "until": until, "now": now})
