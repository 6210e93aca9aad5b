"""Order offers and cut pages. Pure.

Every sort is a sum over slices of one integer each, so that the best combinations of a return or multi-city journey
come out of a heap one by one, without building all of them. Ties go by the flights' numbers: the order is total, and a
page's last position says exactly where the next begins, also when offers were added or gone since.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_service.search.departures import Ints
from flight_service.search.journeys import Leg
from rihla.web.paging import InvalidCursor

_SHIFT = 32
_MOST_TRIED = 20_000
"""Combinations of slices looked at for a page; what lies deeper is beyond any page a person asks for."""
_STRETCH = 12
"""Options of each slice that are put in order at first: a page of twenty combinations seldom takes more."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A leg with what the price book calls the price of each of its flights."""

    leg: Leg
    keys: Ints


@dataclass(frozen=True, slots=True)
class Options:
    """All journeys for one slice: `price`, `departure` and `arrival` go through the groups one after the other."""

    groups: tuple[tuple[int, tuple[Priced, ...]], ...]
    """Where a group begins, and its legs."""
    numbers: NDArray[np.int32]
    """The database's number of each slot of the timetable."""
    price: Ints
    departure: NDArray[np.int32]
    arrival: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.price)

    def taken(self, places: Ints, keys: Ints) -> list["Option"]:
        """The journeys at these places, which the sort orders by `keys`; in no order of their own."""
        if len(self.groups) == 1:
            return list(self._taken(places, places, self.groups[0][1], keys))
        found: list[Option] = []
        for begin, legs in self.groups:
            inside = (places >= begin) & (places < begin + len(legs[0].leg))
            if inside.any():
                found += self._taken(places[inside], places[inside] - begin, legs, keys[inside])
        return found

    def _taken(self, places: Ints, rows: Ints, legs: tuple[Priced, ...], keys: Ints) -> Iterable["Option"]:
        slots, prices, numbers = [], [], []
        for priced in legs:
            picks = priced.leg.picks
            at = rows if picks is None else picks[rows]
            flights = priced.leg.flights[at]
            slots.append(flights.tolist())
            prices.append(priced.keys[at].tolist())
            numbers.append(self.numbers[flights].tolist())
        departures, arrivals = self.departure[places].tolist(), self.arrival[places].tolist()
        journeys = zip(*slots, strict=True), zip(*prices, strict=True), zip(*numbers, strict=True)
        return map(Option, *journeys, departures, arrivals, self.price[places].tolist(), keys.tolist())


class Option(NamedTuple):
    """One journey of a page."""

    legs: tuple[int, ...]
    keys: tuple[int, ...]
    numbers: tuple[int, ...]
    departure: int
    arrival: int
    total: int
    key: int
    """What the sort orders by."""

    def position(self) -> tuple[int, tuple[int, ...]]:
        return self.key, self.numbers


_POSITION = attrgetter("key", "numbers")
Combination = tuple[Option, ...]
Position = tuple[int, tuple[tuple[int, tuple[int, ...]], ...]]


@dataclass(frozen=True, slots=True)
class Order:
    """A sort of api.md. `best` is price plus journey time at `minute_value` minor units a minute for the party."""

    name: str
    slices: int
    minute_value: int

    def values(self, options: Options) -> Ints:
        """What each option is sorted by, within its slice."""
        name = self.name.lstrip("-")
        if name == "price":
            value = options.price
        elif name == "duration":
            value = (options.arrival - options.departure).astype(np.int64)
        elif name == "departure":
            value = options.departure.astype(np.int64)
        elif name == "arrival":
            value = options.arrival.astype(np.int64)
        else:
            value = options.price + (options.arrival - options.departure) * np.int64(self.minute_value)
        return -value if self.name.startswith("-") else value

    def weight(self, index: int) -> int:
        """What values of slice `index` count in the sum: times of several slices are compared one after the other."""
        name = self.name.lstrip("-")
        if name == "departure":
            return 1 << _SHIFT * (self.slices - 1 - index)
        return 1 << _SHIFT * index if name == "arrival" else 1


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Totals that are wanted, both ends included."""

    least: int
    most: int | None

    @property
    def is_open(self) -> bool:
        return self.most is None and self.least <= 0

    def holds(self, total: int) -> bool:
        """Whether a total lies in it."""
        return self.least <= total and (self.most is None or total <= self.most)


def page(
    slices: Sequence[Options], order: Order, limit: int, after: list[Any] | None, prices: PriceRange
) -> tuple[list[Combination], bool]:
    """The first `limit` combinations after a position, and whether there are more.

    A combination's slices follow each other in time, and its total lies within `prices`.
    """
    start = _read_position(after, len(slices)) if after is not None else None
    ranked = _single if len(slices) == 1 else _several
    found = ranked(slices, order, limit + 1, start, prices)
    return found[:limit], len(found) > limit


def position_of(combination: Combination) -> list[Any]:
    """Where a page ends, for its cursor (JSON values)."""
    return [[option.key, list(option.numbers)] for option in combination]


def _single(
    slices: Sequence[Options], order: Order, wanted: int, start: Position | None, prices: PriceRange
) -> list[Combination]:
    options = slices[0]
    values = order.values(options)
    chosen = np.arange(len(options)) if prices.is_open else _within(options.price, prices).nonzero()[0]
    if start is not None:
        chosen = chosen[values[chosen] >= start[1][0][0]]
    kept = values[chosen]
    # Only what can be on the page is put in full order: all up to the value at its end, and those equal to the start.
    reach = wanted if start is None else wanted + int((kept == start[1][0][0]).sum())
    chosen, kept = _first(chosen, kept, reach)
    listed = options.taken(chosen, kept)
    listed.sort(key=_POSITION)
    if start is not None:
        listed = [option for option in listed if option.position() > start[1][0]]
    return [(option,) for option in listed[:wanted]]


def _first(chosen: Ints, values: Ints, count: int) -> tuple[Ints, Ints]:
    """Of the chosen places those with the `count` lowest values, and all that are equal to the last of them."""
    if len(chosen) <= count:
        return chosen, values
    within = values <= np.partition(values, count - 1)[count - 1]
    return chosen[within], values[within]


def _several(
    slices: Sequence[Options], order: Order, wanted: int, start: Position | None, prices: PriceRange
) -> list[Combination]:
    if not all(slices):
        return []
    ordered = [_Ordered(part, order.values(part) * order.weight(index)) for index, part in enumerate(slices)]
    found: list[Combination] = []
    for at in islice(_in_order(ordered), _MOST_TRIED):
        combination = tuple([part.listed[i] for part, i in zip(ordered, at, strict=True)])
        if not _follow(combination):
            continue
        if not prices.is_open and not prices.holds(sum([option.total for option in combination])):
            continue
        if start is not None:
            positions = tuple([option.position() for option in combination])
            if (sum(key for key, _ in positions), positions) <= start:
                continue
        found.append(combination)
        if len(found) == wanted:
            break
    return found


class _Ordered:
    """One slice's options in order: as many as were needed so far. Few are, so that few are put in order."""

    def __init__(self, options: Options, values: Ints) -> None:
        self._options, self._values = options, values
        self._reach = 0
        self.listed: list[Option] = []
        self._further()

    def holds(self, at: int) -> bool:
        """Whether there is a place `at`; it is in the list then."""
        if at == len(self.listed) < len(self._values):
            self._further()
        return at < len(self.listed)

    def _further(self) -> None:
        self._reach = self._reach * 4 or _STRETCH
        places, values = _first(np.arange(len(self._values)), self._values, self._reach)
        self.listed = self._options.taken(places, values)
        self.listed.sort(key=_POSITION)


def _follow(combination: Combination) -> bool:
    """Whether each slice leaves after the one before has arrived."""
    return all(later.departure >= earlier.arrival for earlier, later in pairwise(combination))


def _in_order(ordered: list[_Ordered]) -> Iterator[tuple[int, ...]]:
    """Places of every combination by the sum of its values, then slice by slice.

    A combination comes from the one before it in its last slice that is not at its first option: each comes once.
    """
    heap = [(sum([part.listed[0].key for part in ordered]), (0,) * len(ordered))]
    last = len(ordered) - 1
    while heap:
        total, at = heappop(heap)
        yield at
        for place in range(last, -1, -1):
            part, index = ordered[place], at[place]
            if part.holds(index + 1):
                more = part.listed[index + 1].key - part.listed[index].key
                heappush(heap, (total + more, (*at[:place], index + 1, *at[place + 1 :])))
            if index:
                break


def _within(price: Ints, prices: PriceRange) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = price >= prices.least
    return inside if prices.most is None else inside & (price <= prices.most)


def _read_position(value: list[Any], slices: int) -> Position:
    """A position from a cursor; its values are the caller's until checked. Raises InvalidCursor."""
    try:
        positions = tuple((int(key), tuple(int(number) for number in numbers)) for key, numbers in value)
    except (TypeError, ValueError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
    if len(positions) != slices:
        raise InvalidCursor("The cursor belongs to another search; start again without it.")
    if any(abs(key) >= 1 << 62 for key, _ in positions) and slices == 1:
        raise InvalidCursor("Start again without a cursor.")
    return sum(key for key, _ in positions), positions
