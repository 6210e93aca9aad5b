"""Routes as a graph, and the order of their flights: one sorted column for all routes (departures.py).

The flights of a route in a span of time lie side by side, and numpy finds the spans of a hundred connections in one
call. Live and test airlines have a network each and never mix.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from flight_service.search.departures import Departures, Ints, Slots

_PLANS_KEPT = 20_000
_SETTLE_AT = 100_000


class Hub(Protocol):
    """What a connection needs of an airport."""

    @property
    def country(self) -> str: ...
    @property
    def min_connection_domestic(self) -> int: ...
    @property
    def min_connection_international(self) -> int: ...


Airports = Mapping[str, Hub]


@dataclass(frozen=True, slots=True)
class OneStop:
    """The ways from one airport to another with one stop: one entry for each hub."""

    first: Ints
    onward: Ints
    shortest: Ints
    """Minimum connection time at the hub, minutes."""


@dataclass(frozen=True, slots=True)
class TwoStops:
    """The ways with two stops: first routes, and for each a span of middle routes with the last one after each."""

    first: Ints
    begins: Ints
    ends: Ints
    middle: Ints
    last: Ints
    """After each middle route."""
    shortest: Ints
    shortest_on: Ints


@dataclass(slots=True)
class Network:
    """What is flown between which airports, and when."""

    out: dict[str, dict[str, int]] = field(default_factory=dict)
    """Origin, destination, number of the route."""
    into: dict[str, set[str]] = field(default_factory=dict)
    departures: Departures = field(default_factory=lambda: Departures(_ints(()), _ints(()).astype(np.int32), 0))
    """As of the last `settle`."""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """Origin and destination of each route."""
    _placed: dict[int, int] = field(default_factory=dict)
    """Slots that wait for `settle`, with their keys."""
    _gone: list[tuple[int, int]] = field(default_factory=list)
    """(key, slot) of entries in the order that are no longer true."""
    _plans: dict[tuple[int, str, str], OneStop | TwoStops | None] = field(default_factory=dict)
    _airports: Airports | None = None

    def route(self, origin: str, destination: str) -> int | None:
        """The number of the route, if anybody flies it."""
        routes = self.out.get(origin)
        return None if routes is None else routes.get(destination)

    def add(self, origin: str, destination: str) -> int:
        """The number of the route, made if need be."""
        routes = self.out.setdefault(origin, {})
        found = routes.get(destination)
        if found is None:
            found = routes[destination] = len(self.pairs)
            self.pairs.append((origin, destination))
            self.into.setdefault(destination, set()).add(origin)
            self._plans.clear()
        return found

    def insert(self, route: int, departure: int, slot: int) -> None:
        """Put a flight in order; seen after `settle`."""
        self._placed[slot] = route << 32 | departure
        if len(self._placed) >= _SETTLE_AT:
            self.settle()

    def delete(self, route: int, departure: int, slot: int) -> None:
        """Take a flight out of the order. Until the next `settle` that finds new ones it is passed over as unsold."""
        if self._placed.pop(slot, None) is None:
            self._gone.append((route << 32 | departure, slot))

    def settle(self) -> None:
        """Merge what was inserted and leave out what was deleted. Nothing to insert: nothing to do yet."""
        if not self._placed and self.departures.routes == len(self.pairs):
            return
        keys, slots = self.departures.keys[:-1], self.departures.slots[:-1]
        if self._gone:
            places = [place for key, slot in self._gone if (place := _place(keys, slots, key, slot)) is not None]
            keys, slots = np.delete(keys, places), np.delete(slots, places)
            self._gone.clear()
        new = np.fromiter(self._placed.values(), np.int64, len(self._placed))
        new_slots = np.fromiter(self._placed.keys(), np.int32, len(self._placed))
        self._placed.clear()
        order = np.argsort(new, kind="stable")
        at = np.searchsorted(keys, new[order], side="right")
        keys, slots = np.insert(keys, at, new[order]), np.insert(slots, at, new_slots[order])
        self.departures = Departures(keys, slots, len(self.pairs))

    def one_stop(self, airports: Airports, origin: str, destination: str) -> OneStop | None:
        """How to get there with one stop; None when there is no way."""
        found = self._plan(1, airports, origin, destination)
        assert found is None or isinstance(found, OneStop)
        return found

    def two_stops(self, airports: Airports, origin: str, destination: str) -> TwoStops | None:
        """How to get there with two stops; None when there is no way."""
        found = self._plan(2, airports, origin, destination)
        assert found is None or isinstance(found, TwoStops)
        return found

    def _plan(self, stops: int, airports: Airports, origin: str, destination: str) -> OneStop | TwoStops | None:
        """Plans depend on routes and minimum connection times only: they are remembered until those change."""
        if airports is not self._airports or len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
            self._airports = airports
        key = (stops, origin, destination)
        if key not in self._plans:
            make = self._make_one_stop if stops == 1 else self._make_two_stops
            self._plans[key] = make(airports, origin, destination)
        return self._plans[key]

    def _make_one_stop(self, airports: Airports, origin: str, destination: str) -> OneStop | None:
        out, into = self.out.get(origin, {}), self.into.get(destination, set())
        hubs = sorted(out.keys() & into)
        if not hubs:
            return None
        return OneStop(
            first=_ints(out[hub] for hub in hubs),
            onward=_ints(self.out[hub][destination] for hub in hubs),
            shortest=_ints(connection(airports, origin, hub, destination) for hub in hubs),
        )

    def _make_two_stops(self, airports: Airports, origin: str, destination: str) -> TwoStops | None:
        out, into = self.out.get(origin, {}), self.into.get(destination, set())
        first: list[int] = []
        begins: list[int] = []
        ways: list[tuple[int, int, int, int]] = []
        for hub in sorted(out.keys() - {destination}):
            middle = self.out.get(hub, {})
            seconds = sorted((middle.keys() & into) - {origin})
            if seconds:
                first.append(out[hub])
                begins.append(len(ways))
            for second in seconds:
                waits = connection(airports, origin, hub, second), connection(airports, hub, second, destination)
                ways.append((middle[second], self.out[second][destination], *waits))
        if not ways:
            return None
        middles, lasts, waits_first, waits_second = zip(*ways, strict=True)
        return TwoStops(
            first=_ints(first),
            begins=_ints(begins),
            ends=_ints([*begins[1:], len(ways)]),
            middle=_ints(middles),
            last=_ints(lasts),
            shortest=_ints(waits_first),
            shortest_on=_ints(waits_second),
        )


def connection(airports: Airports, origin: str, hub: str, destination: str) -> int:
    """The hub's minimum connection time between two flights, minutes: domestic when both are."""
    at = airports[hub]
    domestic = airports[origin].country == at.country == airports[destination].country
    return at.min_connection_domestic if domestic else at.min_connection_international


def _place(keys: Ints, slots: Slots, key: int, slot: int) -> int | None:
    """Where a flight stands in the order."""
    at = int(np.searchsorted(keys, key))
    while at < len(keys) and keys[at] == key:
        if slots[at] == slot:
            return at
        at += 1
    return None


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), np.int64)
