"""Order offers and cut pages. Pure.

Every sort is a sum over slices of one integer each, so that the best combinations of a return or multi-city journey
come out of a heap one by one, without building all of them. Ties go by the flights' numbers: the order is total, and a
page's last position says exactly where the next begins, also when offers were added or gone since.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, nsmallest
from typing import Any

from rihla.web.paging import InvalidCursor

_SHIFT = 32


@dataclass(slots=True)
class Option:
    """One journey for one slice."""

    journey: tuple[int, ...]
    price: int
    departure: int
    arrival: int
    numbers: tuple[int, ...]
    key: int = 0

    def position(self) -> tuple[int, tuple[int, ...]]:
        return self.key, self.numbers


Combination = tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A sort of api.md. `best` is price plus journey time at `minute_value` minor units a minute for the party."""

    name: str
    slices: int
    minute_value: int

    def key(self, option: Option, index: int) -> int:
        """What slice `index` adds to the sum that is sorted by."""
        name = self.name.lstrip("-")
        if name == "price":
            value = option.price
        elif name == "duration":
            value = option.arrival - option.departure
        elif name == "departure":
            value = option.departure << _SHIFT * (self.slices - 1 - index)
        elif name == "arrival":
            value = option.arrival << _SHIFT * index
        else:
            value = option.price + (option.arrival - option.departure) * self.minute_value
        return -value if self.name.startswith("-") else value


def page(
    slices: Sequence[list[Option]],
    order: Order,
    limit: int,
    after: list[Any] | None,
    fits: Callable[[Combination], bool],
) -> tuple[list[Combination], bool]:
    """The first `limit` combinations that fit after a position, and whether there are more."""
    for index, options in enumerate(slices):
        for option in options:
            option.key = order.key(option, index)
    start = _read_position(after, len(slices)) if after is not None else None
    ranked = _single if len(slices) == 1 else _several
    found = ranked(slices, limit + 1, start, fits)
    return found[:limit], len(found) > limit


def position_of(combination: Combination) -> list[Any]:
    """Where a page ends, for its cursor (JSON values)."""
    return [[option.key, list(option.numbers)] for option in combination]


def _single(
    slices: Sequence[list[Option]], wanted: int, start: Any, fits: Callable[[Combination], bool]
) -> list[Combination]:
    chosen = (option for option in slices[0] if (start is None or (option.position(),) > start[1]) and fits((option,)))
    return [(option,) for option in nsmallest(wanted, chosen, key=Option.position)]


def _several(
    slices: Sequence[list[Option]], wanted: int, start: Any, fits: Callable[[Combination], bool]
) -> list[Combination]:
    found: list[Combination] = []
    for combination in _in_order(slices):
        if start is not None:
            positions = tuple(option.position() for option in combination)
            if (sum(key for key, _ in positions), positions) <= start:
                continue
        if fits(combination):
            found.append(combination)
            if len(found) == wanted:
                break
    return found


def _in_order(slices: Sequence[list[Option]]) -> Iterator[Combination]:
    """Every combination by the sum of its keys, then slice by slice."""
    ordered = [sorted(options, key=Option.position) for options in slices]
    if not all(ordered):
        return
    first = (0,) * len(ordered)
    heap = [(sum(options[0].key for options in ordered), first)]
    seen = {first}
    while heap:
        total, at = heappop(heap)
        yield tuple(options[index] for options, index in zip(ordered, at, strict=True))
        for place, (options, index) in enumerate(zip(ordered, at, strict=True)):
            if index + 1 < len(options):
                following = (*at[:place], index + 1, *at[place + 1 :])
                if following not in seen:
                    seen.add(following)
                    heappush(heap, (total + options[index + 1].key - options[index].key, following))


def _read_position(value: list[Any], slices: int) -> tuple[int, tuple[tuple[int, tuple[int, ...]], ...]]:
    """A position from a cursor; its values are the caller's until checked. Raises InvalidCursor."""
    try:
        positions = tuple((int(key), tuple(int(number) for number in numbers)) for key, numbers in value)
    except (TypeError, ValueError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
    if len(positions) != slices:
        raise InvalidCursor("The cursor belongs to another search; start again without it.")
    return sum(key for key, _ in positions), positions
