"""Order offers and cut pages. Pure.

Every sort is a sum over slices of one integer each, so that the best combinations of a return or multi-city journey
come out of a heap one by one, without building all of them. Ties go by the flights' numbers: the order is total, and a
page's last position says exactly where the next begins, also when offers were added or gone since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flight_service.search.network import Ints, Slots
from rihla.web.paging import InvalidCursor

_SHIFT = 32
_MOST_TRIED = 20_000
"""Combinations of slices looked at for a page; what lies deeper is beyond any page a person asks for."""
NO_LEG = -1


@dataclass(frozen=True, slots=True)
class Options:
    """All journeys for one slice in parallel columns; `legs`, `keys` and `numbers` have a row for each flight."""

    legs: Slots
    keys: Ints
    """What the price book calls each flight's price."""
    numbers: Slots
    price: Ints
    departure: Ints
    arrival: Ints

    def __len__(self) -> int:
        return len(self.price)


@dataclass(frozen=True, slots=True)
class Option:
    """One journey of a page."""

    legs: tuple[int, ...]
    keys: tuple[int, ...]
    numbers: tuple[int, ...]
    price: int
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
            value = options.arrival - options.departure
        elif name == "departure":
            value = options.departure
        elif name == "arrival":
            value = options.arrival
        else:
            value = options.price + (options.arrival - options.departure) * self.minute_value
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
        key, numbers = start[1][0]
        # Equal values are looked at below, once they are in full order.
        chosen = chosen[values[chosen] >= key]
        chosen = _in_full_order(options, values, chosen)
        at = [position > (key, numbers) for position in _positions(options, values, chosen)]
        return [(option,) for option in _taken(options, values, chosen[np.array(at, bool)][:wanted], 1)]
    if len(chosen) > 2 * wanted:
        # Sort only what can be on the page: everything up to the value at its end.
        last = np.partition(values[chosen], wanted - 1)[wanted - 1]
        chosen = chosen[values[chosen] <= last]
    return [(option,) for option in _taken(options, values, _in_full_order(options, values, chosen)[:wanted], 1)]


def _several(
    slices: Sequence[Options], order: Order, wanted: int, start: Position | None, prices: PriceRange
) -> list[Combination]:
    if not all(slices):
        return []
    ordered = []
    for index, options in enumerate(slices):
        values = order.values(options)
        chosen = _in_full_order(options, values, np.arange(len(options)))
        ordered.append(_Ordered(options, values, chosen, order.weight(index)))
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

    def __init__(self, options: Options, values: Ints, chosen: Ints, weight: int) -> None:
        self._options, self._values, self._chosen, self._weight = options, values, chosen, weight
        self._taken: dict[int, Option] = {}
        self.sums: list[int] = [value * weight for value in values[chosen].tolist()]
        self.departures: list[int] = options.departure[chosen].tolist()
        self.arrivals: list[int] = options.arrival[chosen].tolist()
        self.prices: list[int] = options.price[chosen].tolist()

    def option(self, place: int) -> Option:
        found = self._taken.get(place)
        if found is None:
            one = self._chosen[place : place + 1]
            found = self._taken[place] = _taken(self._options, self._values, one, self._weight)[0]
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


def _in_full_order(options: Options, values: Ints, chosen: Ints) -> Ints:
    """The chosen places by value, then by the numbers of their flights."""
    ties = [row[chosen] for row in options.numbers[::-1]]
    return chosen[np.lexsort((*ties, values[chosen]))]


def _positions(options: Options, values: Ints, chosen: Ints) -> list[tuple[int, tuple[int, ...]]]:
    numbers = options.numbers[:, chosen].T.tolist()
    return [(key, _flown(row)) for key, row in zip(values[chosen].tolist(), numbers, strict=True)]


def _taken(options: Options, values: Ints, chosen: Ints, weight: int) -> list[Option]:
    """The chosen places as options of a page."""
    columns = zip(
        options.legs[:, chosen].T.tolist(),
        options.keys[:, chosen].T.tolist(),
        options.numbers[:, chosen].T.tolist(),
        options.price[chosen].tolist(),
        options.departure[chosen].tolist(),
        options.arrival[chosen].tolist(),
        values[chosen].tolist(),
        strict=True,
    )
    return [
        Option(flown := _flown(legs), tuple(keys[: len(flown)]), tuple(numbers[: len(flown)]), p, d, a, v * weight)
        for legs, keys, numbers, p, d, a, v in columns
    ]


def _flown(row: list[int]) -> tuple[int, ...]:
    """A row without the flights that are not there."""
    return tuple(row) if row[-1] != NO_LEG else tuple(row[: row.index(NO_LEG)])


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
