"""Seats for the travellers of holds who have none: read what is taken, plan each party in turn."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from flight_service.catalogue.layout import AircraftLayout, Cabin
from flight_service.inventory import store
from flight_service.inventory.hold import Preference, StoredHold, StoredRow
from flight_service.inventory.store import SeatGiven
from flight_service.seat_maps.seat_plan import Traveller, plan_seats


class Fleet(Protocol):
    """Seat layouts by aircraft type."""

    def layout(self, aircraft: str) -> AircraftLayout:
        """The layout of this aircraft type."""
        ...


class Seating:
    """Plans seats for several holds after one look at their flights. Nothing is final until the database took it."""

    def __init__(self, fleet: Fleet, taken: dict[str, set[str]], aircraft: Mapping[str, tuple[str, str]]) -> None:
        self._fleet = fleet
        self._taken = taken
        self._aircraft = aircraft

    @classmethod
    async def read(cls, connection: store.Connection, fleet: Fleet, holds: Sequence[StoredHold]) -> "Seating":
        """Look at the flights on which somebody waits for a seat."""
        flights = {row.flight_id for hold in holds for row in hold.rows if row.live and row.designator is None}
        if not flights:
            return cls(fleet, {}, {})
        found = await store.read_seated(connection, flights)
        aircraft = {flight: (seated.aircraft, seated.number) for flight, seated in found.items()}
        return cls(fleet, {flight: set(seated.taken) for flight, seated in found.items()}, aircraft)

    def plan(
        self, hold: StoredHold, preferences: Mapping[tuple[UUID, str], Preference | None] | None = None
    ) -> tuple[list[SeatGiven], list[str]]:
        """Seats for those of `hold` who have none, and the notes. With `preferences`, only for the pairs it names."""
        given: list[SeatGiven] = []
        notes: list[str] = []
        for flight_id in dict.fromkeys(row.flight_id for row in hold.rows if row.live):
            rows = [row for row in hold.rows if row.live and row.flight_id == flight_id]
            if preferences is not None:
                rows = [row for row in rows if row.designator or (row.passenger_id, flight_id) in preferences]
            if all(row.designator for row in rows):
                continue
            seats, said = self._plan_flight(flight_id, rows, preferences or {})
            given += [SeatGiven(hold.id, passenger, flight_id, seat) for passenger, seat in seats.items()]
            notes += said
            self._taken.setdefault(flight_id, set()).update(seats.values())
        return given, notes

    def _plan_flight(
        self, flight_id: str, rows: Sequence[StoredRow], preferences: Mapping[tuple[UUID, str], Preference | None]
    ) -> tuple[Mapping[UUID, str], tuple[str, ...]]:
        aircraft, number = self._aircraft[flight_id]
        party = [
            Traveller(
                row.passenger_id,
                row.designator,
                preferences.get((row.passenger_id, flight_id)) or row.preference,
                row.under_12,
                row.with_infant,
            )
            for row in rows
        ]
        cabin: Cabin = rows[0].cabin  # type: ignore[assignment]  # the database holds layout.CABINS
        plan = plan_seats(self._fleet.layout(aircraft).cabins[cabin], self._taken.get(flight_id, ()), party, number)
        return plan.seats, plan.notes
