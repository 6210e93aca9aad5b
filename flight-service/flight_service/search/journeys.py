"""Find journeys in the timetable: direct, one stop, two stops. Pure computation over columns in memory.

Rules: connections respect the airport's minimum connection time (domestic when both flights are) and last 24 hours at
most; no airport twice; every flight has the seats asked for. With two stops, each first flight is continued by the
earliest connections only, one for each pair of airports: later ones are the same journey with more waiting.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from flight_service.search.reference import Airport
from flight_service.search.timetable import Network, Route, Timetable, minutes

LONGEST_LAYOVER = 24 * 60
Journey = tuple[int, ...]
"""Slots in the order they are flown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of one slice. Airports are codes of the network; times are minutes."""

    origins: tuple[str, ...]
    destinations: tuple[str, ...]
    days: tuple[date, ...]
    cabin: int
    seats: int
    max_stops: int
    not_before: int
    min_layover: int = 0
    max_layover: int = LONGEST_LAYOVER
    flight_allowed: Callable[[int], bool] | None = None
    """A test of every slot (airlines included or excluded)."""


class JourneySearch:
    """Searches one network of the timetable."""

    def __init__(self, timetable: Timetable, network: Network, airports: Mapping[str, Airport]) -> None:
        self._table = timetable
        self._network = network
        self._airports = airports

    def find(self, wanted: Wanted) -> Iterator[Journey]:
        """Every journey that fits, in no particular order, each once."""
        for origin in wanted.origins:
            windows = [day_window(self._airports[origin].zone, day) for day in wanted.days]
            for destination in wanted.destinations:
                if origin == destination:
                    continue
                for first, last in windows:
                    start = max(first, wanted.not_before)
                    if start < last:
                        yield from self._between(wanted, origin, destination, start, last)

    def _between(self, wanted: Wanted, origin: str, destination: str, first: int, last: int) -> Iterator[Journey]:
        direct = self._network.route(origin, destination)
        if direct is not None:
            for slot in self._flights(wanted, direct, first, last):
                yield (slot,)
        if wanted.max_stops >= 1:
            yield from self._one_stop(wanted, origin, destination, first, last)
        if wanted.max_stops >= 2:
            yield from self._two_stops(wanted, origin, destination, first, last)

    def _flights(self, wanted: Wanted, route: Route, first: int, last: int) -> Iterator[int]:
        """Slots of one route that leave in [first, last) and can carry the party."""
        free, base = self._table.free[wanted.cabin], self._table.base[wanted.cabin]
        allowed, seats, slots = wanted.flight_allowed, wanted.seats, route.slots
        for at in route.between(first, last):
            slot = slots[at]
            if free[slot] >= seats and base[slot] and (allowed is None or allowed(slot)):
                yield slot

    def _one_stop(self, wanted: Wanted, origin: str, destination: str, first: int, last: int) -> Iterator[Journey]:
        out, into = self._network.out.get(origin), self._network.into.get(destination)
        if not out or not into:
            return
        arrival = self._table.arrival
        for hub in out.keys() & into:
            onward = self._network.out[hub][destination]
            shortest, longest = self._layover(wanted, out[hub], onward)
            for leg in self._flights(wanted, out[hub], first, last):
                at = arrival[leg]
                for next_leg in self._flights(wanted, onward, at + shortest, at + longest + 1):
                    yield (leg, next_leg)

    def _two_stops(self, wanted: Wanted, origin: str, destination: str, first: int, last: int) -> Iterator[Journey]:
        out, into = self._network.out.get(origin), self._network.into.get(destination)
        if not out or not into:
            return
        graph, arrival = self._network.out, self._table.arrival
        for hub, route in out.items():
            middle = graph.get(hub)
            if hub == destination or not middle:
                continue
            legs = list(self._flights(wanted, route, first, last))
            if not legs:
                continue
            for second in middle.keys() & into:
                if second == origin:
                    continue
                link, onward = middle[second], graph[second][destination]
                shortest, longest = self._layover(wanted, route, link)
                shortest_on, longest_on = self._layover(wanted, link, onward)
                for leg in legs:
                    at = arrival[leg]
                    next_leg = next(self._flights(wanted, link, at + shortest, at + longest + 1), None)
                    if next_leg is None:
                        continue
                    at = arrival[next_leg]
                    last_leg = next(self._flights(wanted, onward, at + shortest_on, at + longest_on + 1), None)
                    if last_leg is not None:
                        yield (leg, next_leg, last_leg)

    def _layover(self, wanted: Wanted, arriving: Route, leaving: Route) -> tuple[int, int]:
        """Shortest and longest wait between two routes, minutes."""
        hub = self._airports[arriving.destination]
        origin, destination = self._airports[arriving.origin], self._airports[leaving.destination]
        domestic = origin.country == hub.country == destination.country
        connection = hub.min_connection_domestic if domestic else hub.min_connection_international
        return max(connection, wanted.min_layover), min(LONGEST_LAYOVER, wanted.max_layover)


@lru_cache(maxsize=20_000)
def day_window(zone: ZoneInfo, day: date) -> tuple[int, int]:
    """A local day as timetable minutes [first, last): 23 or 25 hours where the clocks change."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return minutes(start), minutes(end)
