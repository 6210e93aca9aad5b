"""Order offers and cut pages. Pure.

Every sort is a sum over slices of one integer each, so that the best combinations of a return or multi-city journey
come out of a heap one by one, without building all of them. Ties go by the flights' numbers: the order is total, and a
page's last position says exactly where the next begins, also when offers were added or gone since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flight_service.search.journeys import Leg
from flight_service.search.network import Ints
from rihla.web.paging import InvalidCursor

_SHIFT = 32
_MOST_TRIED = 20_000
"""Combinations of slices looked at for a page; what lies deeper is beyond any page a person asks for."""
_MOST_LEGS = 3
NO_LEG = -1


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

    def option(self, place: int, key: int) -> "Option":
        """One journey, which the sort orders by `key`."""
        begin, legs = next(group for group in reversed(self.groups) if group[0] <= place)
        row, slots, keys = place - begin, [], []
        for priced in legs:
            picks = priced.leg.picks
            at = row if picks is None else picks.item(row)
            slots.append(priced.leg.flights.item(at))
            keys.append(priced.keys.item(at))
        number = self.numbers.item
        return Option(
            tuple(slots),
            tuple(keys),
            tuple([number(slot) for slot in slots]),
            self.departure.item(place),
            self.arrival.item(place),
            key,
        )

    def in_order(self, values: Ints) -> Ints:
        """All places by value, then by the numbers of their flights."""
        ties = np.full((_MOST_LEGS, len(self)), NO_LEG, np.int32)
        for begin, legs in self.groups:
            for row, priced in enumerate(legs):
                ties[row, begin : begin + len(priced.leg)] = self.numbers[priced.leg.slots]
        return np.lexsort((*ties[::-1], values))


class Option(NamedTuple):
    """One journey of a page."""

    legs: tuple[int, ...]
    keys: tuple[int, ...]
    numbers: tuple[int, ...]
    departure: int
    arrival: int
    key: int
    """What the sort orders by."""

    def position(self) -> tuple[int, tuple[int, ...]]:
        return self.key, self.numbers


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
    chosen = np.arange(len(options))
    if not prices.is_open:
        chosen = chosen[_within(options.price, prices)]
    if start is not None:
        chosen = chosen[values[chosen] >= start[1][0][0]]
    # Only what can be on the page is put in full order: all up to the value at its end, and those equal to the start.
    reach = wanted if start is None else wanted + int((values[chosen] == start[1][0][0]).sum())
    if len(chosen) > reach:
        kept = values[chosen]
        chosen = chosen[kept <= np.partition(kept, reach - 1)[reach - 1]]
    listed = [options.option(*pair) for pair in zip(chosen.tolist(), values[chosen].tolist(), strict=True)]
    listed.sort(key=Option.position)
    if start is not None:
        listed = [option for option in listed if option.position() > start[1][0]]
    return [(option,) for option in listed[:wanted]]


def _several(
    slices: Sequence[Options], order: Order, wanted: int, start: Position | None, prices: PriceRange
) -> list[Combination]:
    if not all(slices):
        return []
    ordered = []
    for index, options in enumerate(slices):
        values = order.values(options)
        ordered.append(_Ordered(options, values, order.weight(index)))
    found: list[Combination] = []
    for at in islice(_in_order([part.sums for part in ordered]), _MOST_TRIED):
        if not _follow(ordered, at):
            continue
        if not prices.is_open and not prices.holds(sum(part.prices[i] for part, i in zip(ordered, at, strict=True))):
            continue
        combination = tuple([part.option(i) for part, i in zip(ordered, at, strict=True)])
        if start is not None:
            positions = tuple([option.position() for option in combination])
            if (sum(key for key, _ in positions), positions) <= start:
                continue
        found.append(combination)
        if len(found) == wanted:
            break
    return found


class _Ordered:
    """One slice's options in order, as lists."""

    def __init__(self, options: Options, values: Ints, weight: int) -> None:
        order = options.in_order(values)
        self._options = options
        self._places: list[int] = order.tolist()
        self._taken: dict[int, Option] = {}
        self.sums: list[int] = [value * weight for value in values[order].tolist()]
        self.departures: list[int] = options.departure[order].tolist()
        self.arrivals: list[int] = options.arrival[order].tolist()
        self.prices: list[int] = options.price[order].tolist()

    def option(self, at: int) -> Option:
        found = self._taken.get(at)
        if found is None:
            found = self._taken[at] = self._options.option(self._places[at], self.sums[at])
        return found


def _follow(ordered: list[_Ordered], at: tuple[int, ...]) -> bool:
    """Whether each slice leaves after the one before has arrived."""
    places = zip(ordered, at, strict=True)
    return all(later.departures[j] >= earlier.arrivals[i] for (earlier, i), (later, j) in pairwise(places))


def _in_order(sums: list[list[int]]) -> Iterator[tuple[int, ...]]:
    """Places of every combination by the sum of its values, then slice by slice."""
    first = (0,) * len(sums)
    heap = [(sum(part[0] for part in sums), first)]
    seen = {first}
    while heap:
        total, at = heappop(heap)
        yield at
        for place, (part, index) in enumerate(zip(sums, at, strict=True)):
            if index + 1 < len(part):
                following = (*at[:place], index + 1, *at[place + 1 :])
                if following not in seen:
                    seen.add(following)
                    heappush(heap, (total + part[index + 1] - part[index], following))


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
