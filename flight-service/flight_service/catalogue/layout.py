"""Seat layouts of aircraft types, as pure values.

The document (column `aircraft_type.layout`)::

    {"cabins": [{"cabin": "business", "rows": [1, 4], "letters": "AC DF", "exit_rows": [], "bassinet_rows": [1],
                 "extra_legroom_rows": [1], "preferred_rows": [], "blocked": ["1A"], "missing": ["4F"],
                 "skip_rows": [13]}]}

A space in `letters` is an aisle. `blocked` seats exist and are never sold (crew rest, weight); `missing` ones do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from rihla.kernel import DomainError

Cabin = Literal["economy", "premium_economy", "business", "first"]
Position = Literal["window", "aisle", "middle"]
CABINS: tuple[Cabin, ...] = ("economy", "premium_economy", "business", "first")
"""Fixed order: arrays of fares by cabin and offer ids depend on it."""

MAX_ROW = 99
_ROW_FEATURES = ("exit_rows", "bassinet_rows", "extra_legroom_rows", "preferred_rows")


class LayoutInvalid(DomainError):
    """The document does not describe an aircraft; `pointer` in the data says where."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat. Features: `exit_row`, `bassinet`, `extra_legroom`, `preferred`."""

    designator: str
    row: int
    letter: str
    position: Position
    features: frozenset[str]
    blocked: bool = False

    @property
    def priced(self) -> bool:
        """Whether choosing it has a price above that of any other seat."""
        return not self.features.isdisjoint(("exit_row", "extra_legroom", "preferred"))


@dataclass(frozen=True, slots=True)
class CabinLayout:
    """One cabin: its rows in order, and its seats by designator (row by row, left to right)."""

    cabin: Cabin
    letters: str
    rows: tuple[int, ...]
    exit_rows: frozenset[int]
    seats: Mapping[str, Seat]
    capacity: int
    """Seats that can be sold."""
    ordinary: frozenset[str]
    """Those of them without a price of their own."""
    at_exits: frozenset[str]
    """Those of them in exit rows."""

    def row(self, number: int) -> tuple[Seat, ...]:
        """The seats of one row, left to right."""
        return tuple(seat for seat in self.seats.values() if seat.row == number)


@dataclass(frozen=True, slots=True)
class AircraftLayout:
    """An aircraft type's cabins, from the front."""

    cabins: Mapping[Cabin, CabinLayout]

    @property
    def seats(self) -> Mapping[str, Seat]:
        """All seats by designator."""
        return {designator: seat for cabin in self.cabins.values() for designator, seat in cabin.seats.items()}

    def capacities(self) -> dict[Cabin, int]:
        """Seats that can be sold, by cabin."""
        return {name: cabin.capacity for name, cabin in self.cabins.items()}


def read_layout(document: Mapping[str, Any]) -> AircraftLayout:
    """Read and check a layout document. Raises LayoutInvalid, naming the place, for anything that cannot be flown."""
    cabins: dict[Cabin, CabinLayout] = {}
    taken: set[int] = set()
    listed = document.get("cabins")
    if not isinstance(listed, Sequence) or not listed:
        raise LayoutInvalid("A layout needs at least one cabin.", pointer="/layout/cabins")
    for index, entry in enumerate(listed):
        cabin = _read_cabin(entry, f"/layout/cabins/{index}")
        if cabin.cabin in cabins:
            raise LayoutInvalid(
                f"The cabin {cabin.cabin} is listed twice.",
                pointer=f"/layout/cabins/{index}/cabin",
            )
        if not taken.isdisjoint(cabin.rows):
            raise LayoutInvalid("Two cabins share a row.", pointer=f"/layout/cabins/{index}/rows")
        taken.update(cabin.rows)
        cabins[cabin.cabin] = cabin
    return AircraftLayout(MappingProxyType(cabins))


def _read_cabin(entry: Mapping[str, Any], pointer: str) -> CabinLayout:
    name = entry.get("cabin")
    if name not in CABINS:
        raise LayoutInvalid(f"A cabin is one of {', '.join(CABINS)}.", pointer=f"{pointer}/cabin")
    letters = str(entry.get("letters", ""))
    seat_letters = letters.replace(" ", "")
    if not seat_letters.isalpha() or not seat_letters.isupper() or len(set(seat_letters)) != len(seat_letters):
        raise LayoutInvalid(
            "Seat letters are different capitals; a space is an aisle.",
            pointer=f"{pointer}/letters",
        )
    rows = _rows(entry, pointer)
    marked = {key: _marked_rows(entry, key, rows, pointer) for key in _ROW_FEATURES}
    blocked, missing = set(entry.get("blocked", ())), set(entry.get("missing", ()))
    seats: dict[str, Seat] = {}
    for row in rows:
        features = frozenset(_FEATURE_OF[key] for key, numbers in marked.items() if row in numbers)
        for letter in seat_letters:
            designator = f"{row}{letter}"
            if designator not in missing:
                position = _position(letters, letter)
                seats[designator] = Seat(designator, row, letter, position, features, designator in blocked)
    unknown = sorted((blocked - seats.keys()) | {d for d in missing if not _exists(d, rows, seat_letters)})
    if unknown:
        raise LayoutInvalid(f"No such seat: {', '.join(unknown)}.", pointer=pointer)
    for_sale = [seat for seat in seats.values() if not seat.blocked]
    return CabinLayout(
        name,
        letters,
        rows,
        marked["exit_rows"],
        MappingProxyType(seats),
        capacity=len(for_sale),
        ordinary=frozenset(seat.designator for seat in for_sale if not seat.priced),
        at_exits=frozenset(seat.designator for seat in for_sale if "exit_row" in seat.features),
    )


_FEATURE_OF = {
    "exit_rows": "exit_row",
    "bassinet_rows": "bassinet",
    "extra_legroom_rows": "extra_legroom",
    "preferred_rows": "preferred",
}


def _rows(entry: Mapping[str, Any], pointer: str) -> tuple[int, ...]:
    bounds = entry.get("rows")
    if not (isinstance(bounds, Sequence) and len(bounds) == 2 and all(isinstance(row, int) for row in bounds)):
        raise LayoutInvalid("`rows` is [first, last].", pointer=f"{pointer}/rows")
    first, last = bounds
    if not 1 <= first <= last <= MAX_ROW:
        raise LayoutInvalid(
            f"Rows go from 1 to {MAX_ROW}, the first before the last.",
            pointer=f"{pointer}/rows",
        )
    skipped = set(entry.get("skip_rows", ()))
    return tuple(row for row in range(first, last + 1) if row not in skipped)


def _marked_rows(entry: Mapping[str, Any], key: str, rows: tuple[int, ...], pointer: str) -> frozenset[int]:
    numbers = frozenset(entry.get(key, ()))
    if not numbers <= set(rows):
        raise LayoutInvalid("A marked row is not in this cabin.", pointer=f"{pointer}/{key}")
    return numbers


def _exists(designator: str, rows: tuple[int, ...], letters: str) -> bool:
    number, letter = designator[:-1], designator[-1:]
    return number.isdigit() and int(number) in rows and letter in letters


def _position(letters: str, letter: str) -> Position:
    at = letters.index(letter)
    if at in (0, len(letters) - 1):
        return "window"
    return "aisle" if " " in (letters[at - 1], letters[at + 1]) else "middle"
