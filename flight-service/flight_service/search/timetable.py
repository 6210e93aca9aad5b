"""The timetable in memory: one column per property, one slot per flight.

Each column is a buffer with two faces: a plain array for one value, a numpy view (`table.view`) for many at once. A
million flights need about 230 MB. Times are whole minutes since 1970 UTC. Nothing here waits or reads a clock: the
feed (follow_changes.py) writes, searches read, both on the event loop's thread.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from flight_service.catalogue.layout import CABINS
from flight_service.fares.rule_set import BRANDS
from flight_service.search.network import Network

SELLABLE = frozenset({"scheduled", "delayed"})
_NO_SLOT = -1
_FIRST_ROOM = 1_024
_TEXTS_KEPT = 150_000
TEXTS_OF_A_SLOT = len(CABINS) * len(BRANDS)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = {"i": np.int32, "h": np.int16}


@dataclass(slots=True)
class Views:
    """The columns as numpy sees them. Replaced, never resized, when the table grows."""

    no: NDArray[np.int32]
    departure: NDArray[np.int32]
    arrival: NDArray[np.int32]
    departure_offset: NDArray[np.int16]
    arrival_offset: NDArray[np.int16]
    number: NDArray[np.int32]
    airline: NDArray[np.int16]
    seats: tuple[NDArray[np.int16], ...]
    """By cabin: seats that can be sold; 0 for a flight that is not on sale or has no fare."""
    load: tuple[NDArray[np.int16], ...]
    """By cabin: percent that is taken, rounded down."""
    fare: tuple[NDArray[np.int32], ...]
    """By cabin: a number for each pair of a route and a base fare (`Timetable.fares`)."""


class Timetable:
    """All flights that can still be sold, and those of the last hours."""

    def __init__(self) -> None:
        self.live, self.test = Network(), Network()
        self._slot_of_no = array("i")
        self._size = self._room = 0
        self.ids = bytearray()
        self.number: list[str] = []
        self.airline: list[str] = []
        self.origin: list[str] = []
        self.destination: list[str] = []
        self.aircraft: list[str] = []
        self.status: list[str] = []
        self.terminal: list[str | None] = []
        self.gate: list[str | None] = []
        self._listed: list[Network | None] = []
        # Strings repeat by the hundred thousand; each is kept once.
        self._shared: dict[str, str] = {}
        self.number_ids: dict[str, int] = {}
        self.airline_ids: dict[str, int] = {}
        self.fares: dict[tuple[bool, int, int], int] = {}
        """(of a test airline, route, base fare): its number."""
        self.texts: dict[int, tuple[str, bytes]] = {}
        """What search has written of a slot, by `text_key`; dropped at the slot's next change."""
        self.no = self.departure = self.arrival = self.version = self._route = self._number = array("i")
        self.departure_offset = self.arrival_offset = self.delay = self._airline = array("h")
        self.free = self.capacity = self.load = self._seats = tuple(array("h") for _ in CABINS)
        self.base = tuple(array("i") for _ in CABINS)
        self._fare = tuple(array("i") for _ in CABINS)
        self.view: Views
        self._grow(_FIRST_ROOM)

    def __len__(self) -> int:
        return self._size

    def slot(self, no: int) -> int | None:
        """The slot of a flight number of the database, None when it is not here."""
        found = self._slot_of_no[no] if 0 <= no < len(self._slot_of_no) else _NO_SLOT
        return None if found == _NO_SLOT else found

    def flight_id(self, slot: int) -> UUID:
        """The flight's id."""
        return UUID(bytes=bytes(self.ids[slot * 16 : slot * 16 + 16]))

    def apply(self, row: Mapping[str, Any], *, test_only: bool) -> None:
        """Take over the state of one flight (a row of the feed): new, changed, or no longer for sale.

        Searches see new and retimed flights after `settle`.
        """
        slot = self.slot(row["no"])
        if slot is None:
            slot = self._append(row, test_only)
        else:
            self._write(slot, row, test_only)
        self._list(slot, self.test if test_only else self.live)

    def settle(self) -> None:
        """Bring the networks' order up to date after a batch of `apply`."""
        self.live.settle()
        self.test.settle()

    def remove(self, no: int) -> None:
        """Forget a deleted flight."""
        slot = self.slot(no)
        if slot is not None:
            self._unlist(slot)
            self.status[slot] = "cancelled"

    def remember(self, key: int, text: str, packed: bytes) -> tuple[str, bytes]:
        """Keep what was written of a slot until it changes."""
        if len(self.texts) >= _TEXTS_KEPT:
            self.texts.clear()
        found = self.texts[key] = (text, packed)
        return found

    def _append(self, row: Mapping[str, Any], test_only: bool) -> int:
        slot, no = self._size, row["no"]
        if slot == self._room:
            self._grow(self._room * 3 // 2)
        if no >= len(self._slot_of_no):
            self._slot_of_no.extend([_NO_SLOT] * (max(no + 1, len(self._slot_of_no) * 5 // 4) - len(self._slot_of_no)))
        self._slot_of_no[no] = slot
        self.no[slot] = no
        self.ids += row["id"].bytes
        share = self._shared.setdefault
        number, airline = row["flight_number"], row["airline"]
        origin, destination = row["origin"], row["destination"]
        self.number.append(share(number, number))
        self.airline.append(share(airline, airline))
        self.origin.append(share(origin, origin))
        self.destination.append(share(destination, destination))
        self._number[slot] = self.number_ids.setdefault(number, len(self.number_ids))
        self._airline[slot] = self.airline_ids.setdefault(airline, len(self.airline_ids))
        self._route[slot] = (self.test if test_only else self.live).add(origin, destination)
        self.aircraft.append("")
        self.status.append("")
        self.terminal.append(None)
        self.gate.append(None)
        self._listed.append(None)
        self._size += 1
        self._write(slot, row, test_only)
        return slot

    def _write(self, slot: int, row: Mapping[str, Any], test_only: bool) -> None:
        if self._listed[slot] is not None and self.departure[slot] != row["departure"]:
            self._unlist(slot)
        for key in range(slot * TEXTS_OF_A_SLOT, (slot + 1) * TEXTS_OF_A_SLOT):
            self.texts.pop(key, None)
        self.departure[slot], self.arrival[slot] = row["departure"], row["arrival"]
        self.departure_offset[slot], self.arrival_offset[slot] = row["departure_offset"], row["arrival_offset"]
        self.version[slot], self.delay[slot] = row["offer_version"], row["delay_minutes"]
        share = self._shared.setdefault
        self.aircraft[slot] = share(row["aircraft"], row["aircraft"])
        self.status[slot] = share(row["status"], row["status"])
        terminal, gate = row["terminal"], row["gate"]
        self.terminal[slot] = share(terminal, terminal) if terminal else None
        self.gate[slot] = share(gate, gate) if gate else None
        route, numbers = self._route[slot], self.fares
        for column, fares, base in zip(self.base, self._fare, row["base_fares"], strict=True):
            column[slot] = base
            fares[slot] = numbers.setdefault((test_only, route, base), len(numbers))
        for index in range(len(CABINS)):
            self.free[index][slot] = self.capacity[index][slot] = self.load[index][slot] = 0
        for cabin, free, capacity in zip(row["cabins"] or (), row["free"] or (), row["capacities"] or (), strict=True):
            index = CABINS.index(cabin)
            self.free[index][slot], self.capacity[index][slot] = free, capacity
            self.load[index][slot] = load_percent(free, capacity)

    def _list(self, slot: int, network: Network) -> None:
        wanted = self.status[slot] in SELLABLE
        if not wanted:
            self._unlist(slot)
            return
        if self._listed[slot] is None:
            network.insert(self._route[slot], self.departure[slot], slot)
            self._listed[slot] = network
        for seats, free, base in zip(self._seats, self.free, self.base, strict=True):
            seats[slot] = free[slot] if base[slot] else 0

    def _unlist(self, slot: int) -> None:
        network = self._listed[slot]
        if network is None:
            return
        # Out of sight at once; the networks' order forgets it at the next `settle`.
        for seats in self._seats:
            seats[slot] = 0
        network.delete(self._route[slot], self.departure[slot], slot)
        self._listed[slot] = None

    def _grow(self, room: int) -> None:
        """Move every column to a larger buffer; searches keep the views they have taken."""

        def larger(old: "array[int]") -> "array[int]":
            new = array(old.typecode, bytes(old.itemsize * room))
            new[: self._size] = old[: self._size]
            return new

        self._room = room
        for name in ("no", "departure", "arrival", "version", "_route", "_number"):
            setattr(self, name, larger(getattr(self, name)))
        for name in ("departure_offset", "arrival_offset", "delay", "_airline"):
            setattr(self, name, larger(getattr(self, name)))
        for name in ("free", "capacity", "load", "_seats", "base", "_fare"):
            setattr(self, name, tuple(larger(column) for column in getattr(self, name)))
        self.view = Views(
            no=_view(self.no),
            departure=_view(self.departure),
            arrival=_view(self.arrival),
            departure_offset=_view(self.departure_offset),
            arrival_offset=_view(self.arrival_offset),
            number=_view(self._number),
            airline=_view(self._airline),
            seats=tuple(_view(column) for column in self._seats),
            load=tuple(_view(column) for column in self.load),
            fare=tuple(_view(column) for column in self._fare),
        )


def text_key(slot: int, cabin: int, brand: int) -> int:
    """Where what was written of a slot in a cabin and brand is kept."""
    return slot * TEXTS_OF_A_SLOT + cabin * len(BRANDS) + brand


def load_percent(free: int, capacity: int) -> int:
    """Whole percent of a cabin that is taken, rounded down; 0 for a cabin without seats."""
    return (capacity - free) * 100 // capacity if capacity > 0 else 0


def _view(column: "array[int]") -> NDArray[Any]:
    return np.frombuffer(column, dtype=_TYPES[column.typecode])


def minutes(at: datetime) -> int:
    """An instant as the timetable counts it."""
    return int(at.timestamp()) // 60
