"""The timetable in memory: one column per property, one slot per flight, and for each route its slots by departure.

A million flights need about 100 MB. Times are whole minutes since 1970 UTC. Nothing here waits or reads a clock: the
feed (follow_changes.py) writes, searches read, both on the event loop's thread.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flight_service.catalogue.layout import CABINS

SELLABLE = frozenset({"scheduled", "delayed"})
_NO_SLOT = -1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Route:
    """The sellable flights of one pair of airports, by departure: two parallel columns."""

    origin: str
    destination: str
    departures: "array[int]" = field(default_factory=lambda: array("i"))
    slots: "array[int]" = field(default_factory=lambda: array("i"))

    def between(self, first: int, last: int) -> range:
        """Positions of departures in [first, last)."""
        start = bisect_left(self.departures, first)
        return range(start, bisect_left(self.departures, last, start))


@dataclass(slots=True)
class Network:
    """Routes as a graph. Live and test airlines have one each and never mix."""

    out: dict[str, dict[str, Route]] = field(default_factory=dict)
    into: dict[str, set[str]] = field(default_factory=dict)

    def route(self, origin: str, destination: str) -> Route | None:
        """The route, if anybody flies it."""
        routes = self.out.get(origin)
        return routes.get(destination) if routes else None

    def add(self, origin: str, destination: str) -> Route:
        """The route, made if need be."""
        routes = self.out.setdefault(origin, {})
        route = routes.get(destination)
        if route is None:
            route = routes[destination] = Route(origin, destination)
            self.into.setdefault(destination, set()).add(origin)
        return route


class Timetable:
    """All flights that can still be sold, and those of the last hours."""

    def __init__(self) -> None:
        self.live, self.test = Network(), Network()
        self._slot_of_no = array("i")
        self.no = array("i")
        self.ids = bytearray()
        self.departure, self.arrival = array("i"), array("i")
        self.departure_offset, self.arrival_offset = array("h"), array("h")
        self.version, self.delay = array("i"), array("h")
        self.free = tuple(array("h") for _ in CABINS)
        self.capacity = tuple(array("h") for _ in CABINS)
        self.base = tuple(array("i") for _ in CABINS)
        self.number: list[str] = []
        self.airline: list[str] = []
        self.origin: list[str] = []
        self.destination: list[str] = []
        self.aircraft: list[str] = []
        self.status: list[str] = []
        self.terminal: list[str | None] = []
        self.gate: list[str | None] = []
        self.listed: list[Route | None] = []
        # Strings repeat by the hundred thousand; each is kept once.
        self._shared: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.no)

    def slot(self, no: int) -> int | None:
        """The slot of a flight number of the database, None when it is not here."""
        found = self._slot_of_no[no] if 0 <= no < len(self._slot_of_no) else _NO_SLOT
        return None if found == _NO_SLOT else found

    def flight_id(self, slot: int) -> UUID:
        """The flight's id."""
        return UUID(bytes=bytes(self.ids[slot * 16 : slot * 16 + 16]))

    def apply(self, row: Mapping[str, Any], *, test_only: bool) -> None:
        """Take over the state of one flight (a row of LOAD_FLIGHTS): new, changed, or no longer for sale."""
        slot = self.slot(row["no"])
        if slot is None:
            slot = self._append(row)
        else:
            self._write(slot, row)
        self._list(slot, self.test if test_only else self.live)

    def remove(self, no: int) -> None:
        """Forget a deleted flight."""
        slot = self.slot(no)
        if slot is not None:
            self._unlist(slot)
            self.status[slot] = "cancelled"

    def departing(self, network: Network, origin: str) -> Iterator[Route]:
        """The routes that leave an airport."""
        return iter(network.out.get(origin, {}).values())

    def _append(self, row: Mapping[str, Any]) -> int:
        slot, no = len(self.no), row["no"]
        if no >= len(self._slot_of_no):
            self._slot_of_no.extend([_NO_SLOT] * (max(no + 1, len(self._slot_of_no) * 5 // 4) - len(self._slot_of_no)))
        self._slot_of_no[no] = slot
        self.no.append(no)
        self.ids += row["id"].bytes
        for column in (
            self.departure,
            self.arrival,
            self.departure_offset,
            self.arrival_offset,
            self.version,
            self.delay,
        ):
            column.append(0)
        for columns in (self.free, self.capacity, self.base):
            for column in columns:
                column.append(0)
        share = self._shared.setdefault
        self.number.append(share(row["flight_number"], row["flight_number"]))
        self.airline.append(share(row["airline"], row["airline"]))
        self.origin.append(share(row["origin"], row["origin"]))
        self.destination.append(share(row["destination"], row["destination"]))
        self.aircraft.append("")
        self.status.append("")
        self.terminal.append(None)
        self.gate.append(None)
        self.listed.append(None)
        self._write(slot, row)
        return slot

    def _write(self, slot: int, row: Mapping[str, Any]) -> None:
        if self.listed[slot] is not None and self.departure[slot] != row["departure"]:
            self._unlist(slot)
        self.departure[slot], self.arrival[slot] = row["departure"], row["arrival"]
        self.departure_offset[slot], self.arrival_offset[slot] = row["departure_offset"], row["arrival_offset"]
        self.version[slot], self.delay[slot] = row["offer_version"], row["delay_minutes"]
        share = self._shared.setdefault
        self.aircraft[slot] = share(row["aircraft"], row["aircraft"])
        self.status[slot] = share(row["status"], row["status"])
        terminal, gate = row["terminal"], row["gate"]
        self.terminal[slot] = share(terminal, terminal) if terminal else None
        self.gate[slot] = share(gate, gate) if gate else None
        for index, base in enumerate(row["base_fares"]):
            self.base[index][slot] = base
        for index in range(len(CABINS)):
            self.free[index][slot] = self.capacity[index][slot] = 0
        for cabin, free, capacity in zip(row["cabins"] or (), row["free"] or (), row["capacities"] or (), strict=True):
            index = CABINS.index(cabin)
            self.free[index][slot], self.capacity[index][slot] = free, capacity

    def _list(self, slot: int, network: Network) -> None:
        wanted = self.status[slot] in SELLABLE
        if self.listed[slot] is not None and not wanted:
            self._unlist(slot)
        if self.listed[slot] is None and wanted:
            route = network.add(self.origin[slot], self.destination[slot])
            departure = self.departure[slot]
            if not route.departures or route.departures[-1] <= departure:
                route.departures.append(departure)
                route.slots.append(slot)
            else:
                at = bisect_left(route.departures, departure)
                route.departures.insert(at, departure)
                route.slots.insert(at, slot)
            self.listed[slot] = route

    def _unlist(self, slot: int) -> None:
        route = self.listed[slot]
        if route is None:
            return
        at = bisect_left(route.departures, self.departure[slot])
        at = route.slots.index(slot, at)
        del route.departures[at], route.slots[at]
        self.listed[slot] = None


def minutes(at: datetime) -> int:
    """An instant as the timetable counts it."""
    return int(at.timestamp()) // 60
