"""Bookings that partners' keys made, for what partners are told."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.driver import driver_of
from notification_service.trips.booking_news import LIVE
from notification_service.trips.tables import trip, trip_flight

_ONE = (
    "SELECT booking_id, reference, facts ->> 'organisation_id', facts ->> 'test_mode' FROM trip "
    "WHERE booking_id = $1 AND facts ->> 'organisation_id' IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class PartnerBooking:
    """Whose booking it is; `test_mode` when a test key made it."""

    booking_id: UUID
    reference: str
    organisation_id: UUID
    test_mode: bool


async def partner_booking(session: AsyncSession, booking_id: UUID) -> PartnerBooking | None:
    """The booking, when a partner's key made it."""
    connection = await driver_of(session)
    row = await connection.fetchrow(_ONE, booking_id)
    return _booking(row) if row is not None else None


async def partner_bookings_on(session: AsyncSession, flight_id: UUID) -> list[PartnerBooking]:
    """Bookings of partners somebody still flies on with this flight."""
    query = _partners().join(trip_flight, trip_flight.c.booking_id == trip.c.booking_id)
    query = query.where(trip_flight.c.flight_id == flight_id, trip.c.status.in_(LIVE))
    return await _found(session, query.order_by(trip.c.booking_id))


def _partners() -> Select[Any]:
    organisation, mode = trip.c.facts["organisation_id"].astext, trip.c.facts["test_mode"].astext
    return select(trip.c.booking_id, trip.c.reference, organisation, mode).where(organisation.is_not(None))


async def _found(session: AsyncSession, query: Select[Any]) -> list[PartnerBooking]:
    return [_booking(row) for row in await session.execute(query)]


def _booking(row: Any) -> PartnerBooking:
    return PartnerBooking(row[0], row[1], UUID(row[2]), row[3] == "true")
