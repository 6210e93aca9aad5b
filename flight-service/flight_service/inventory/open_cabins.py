"""The deeds that put a flight's cabins on sale, for those who create and change flights."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from flight_service.inventory.problems import FlightHasHolds


@dataclass(frozen=True, slots=True)
class CabinRow:
    """A cabin to sell. `free_seats` below `capacity` says that the rest was sold elsewhere."""

    flight_id: UUID
    cabin: str
    capacity: int
    free_seats: int | None = None


_INSERT = text(
    "INSERT INTO cabin_inventory (flight_id, cabin, capacity, free_seats, sold_seats) "
    "SELECT f, c, n, coalesce(free, n), n - coalesce(free, n) "
    "FROM unnest(CAST(:flights AS uuid[]), CAST(:cabins AS text[]), CAST(:capacities AS integer[]), "
    "CAST(:free AS integer[])) AS r (f, c, n, free) ON CONFLICT (flight_id, cabin) DO NOTHING"
)


async def insert_cabin_rows(session: AsyncSession, rows: Sequence[CabinRow]) -> None:
    """Put cabins on sale, in the caller's transaction; those on sale already are left as they are."""
    await session.execute(
        _INSERT,
        {
            "flights": [row.flight_id for row in rows],
            "cabins": [row.cabin for row in rows],
            "capacities": [row.capacity for row in rows],
            "free": [row.free_seats for row in rows],
        },
    )


async def reopen_cabins(session: AsyncSession, flight_id: UUID, rows: Sequence[CabinRow]) -> None:
    """Replace the cabins of a flight that has no held or sold seat (its aircraft changed), in the caller's transaction.

    Raises FlightHasHolds, having changed nothing.
    """
    found = await session.execute(
        text(
            "SELECT held_seats + sold_seats FROM cabin_inventory WHERE flight_id = :flight "
            "ORDER BY flight_id, cabin FOR UPDATE"
        ),
        {"flight": flight_id},
    )
    if any(found.scalars()):
        raise FlightHasHolds("Seats of this flight are held or sold.", flight_id=str(flight_id))
    await session.execute(text("DELETE FROM cabin_inventory WHERE flight_id = :flight"), {"flight": flight_id})
    await insert_cabin_rows(session, rows)
