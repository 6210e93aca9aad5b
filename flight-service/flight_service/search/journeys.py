"""Find journeys in the timetable: direct, one stop, two stops. Pure computation over columns in memory.

Rules: connections respect the airport's minimum connection time (domestic when both flights are) and last 24 hours at
most; no airport twice; every flight has the seats asked for. With two stops, each first flight is continued by the
earliest connections only, one for each pair of airports: later ones are the same journey with more waiting.

Spans of the network's order are found for all hubs in one call and laid out flat, and what may follow a flight is then
looked up in those few hundred flights, not in the whole network; nothing here loops over flights.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from flight_service.search.network import Airports, Ints, Network, Slots, Times
from flight_service.search.timetable import Timetable, minutes

LONGEST_LAYOVER = 24 * 60
_NEVER = np.int64((1 << 63) - 1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the journeys from one airport. Times are minutes."""

    span: tuple[int, int]
    """Departures from the first to before the second."""
    cabin: int
    seats: int
    max_stops: int
    min_layover: int = 0
    max_layover: int = LONGEST_LAYOVER
    airlines: NDArray[np.bool_] | None = None
    """By the timetable's number of the airline: whether it may be flown."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The flights of one leg, and for each journey which of them it takes; None: the journey's own place."""

    flights: Slots
    picks: Ints | None = None

    @property
    def slots(self) -> Slots:
        """One flight for each journey."""
        return self.flights if self.picks is None else self.flights[self.picks]

    def kept(self, mask: NDArray[np.bool_]) -> "Leg":
        """The same for the journeys the mask keeps."""
        return Leg(self.flights[mask]) if self.picks is None else Leg(self.flights, self.picks[mask])

    def __len__(self) -> int:
        return len(self.flights) if self.picks is None else len(self.picks)


@dataclass(frozen=True, slots=True)
class Journeys:
    """Journeys with the same number of flights, leg by leg."""

    legs: tuple[Leg, ...]

    def __len__(self) -> int:
        return len(self.legs[0])


class JourneySearch:
    """Searches one network of the timetable."""

    def __init__(self, table: Timetable, network: Network, airports: Airports) -> None:
        self._view = table.view
        self._keys, self._slots = network.keys, network.slots
        self._network = network
        self._airports = airports

    def between(self, wanted: Wanted, origin: str, destination: str) -> list[Journeys]:
        """Every journey that fits, in no particular order, each once."""
        found = [self._direct(wanted, origin, destination)]
        if wanted.max_stops >= 1:
            found.append(self._one_stop(wanted, origin, destination))
        if wanted.max_stops >= 2:
            found.append(self._two_stops(wanted, origin, destination))
        return [journeys for journeys in found if journeys is not None and len(journeys)]

    def _direct(self, wanted: Wanted, origin: str, destination: str) -> Journeys | None:
        route = self._network.route(origin, destination)
        if route is None:
            return None
        first, last = self._keys.searchsorted(np.array(wanted.span) + (route << 32)).tolist()
        slots = self._slots[first:last]
        return Journeys((Leg(slots[self._usable(wanted, slots)]),))

    def _one_stop(self, wanted: Wanted, origin: str, destination: str) -> Journeys | None:
        plan = self._network.one_stop(self._airports, origin, destination)
        if plan is None:
            return None
        way, legs = self._between(wanted, plan.first, *wanted.span)
        if not len(legs):
            return None
        arrival = self._view.arrival[legs]
        next_legs, leaving = self._reachable(wanted, plan.onward, arrival)
        at = (way << 32) + arrival
        shortest = plan.shortest if not wanted.min_layover else np.maximum(plan.shortest, wanted.min_layover)
        leg, place = _laid_out(
            leaving.searchsorted(at + shortest[way]), leaving.searchsorted(at + (wanted.max_layover + 1))
        )
        return Journeys((Leg(legs, leg), Leg(next_legs, place)))

    def _two_stops(self, wanted: Wanted, origin: str, destination: str) -> Journeys | None:
        plan = self._network.two_stops(self._airports, origin, destination)
        if plan is None:
            return None
        way, legs = self._between(wanted, plan.first, *wanted.span)
        if not len(legs):
            return None
        leg, way = _laid_out(plan.begins[way], plan.ends[way])
        links, link, fits = self._earliest(wanted, self._view.arrival[legs][leg], plan.middle, way, plan.shortest[way])
        leg, way = leg[fits], way[fits]
        if not len(leg):
            return None
        arrival = self._view.arrival[links][link]
        lasts, last, fits = self._earliest(wanted, arrival, plan.last, plan.last_of[way], plan.shortest_on[way])
        return Journeys((Leg(legs, leg[fits]), Leg(links, link[fits]), Leg(lasts, last)))

    def _earliest(
        self, wanted: Wanted, arrival: Times, routes: Ints, way: Ints, shortest: Ints
    ) -> tuple[Slots, Ints, NDArray[np.bool_]]:
        """For each arrival the first usable flight of its way that can be reached.

        Flights; for each arrival that reaches one its place among them; whether an arrival does.
        """
        flights, leaving = self._reachable(wanted, routes, arrival)
        at = (way << 32) + arrival
        first = leaving.searchsorted(at + np.maximum(shortest, wanted.min_layover))
        # Past the last flight there is none: an end later than any key stands for it.
        fits = np.append(leaving, _NEVER)[first] <= at + wanted.max_layover
        return flights, first[fits], fits

    def _reachable(self, wanted: Wanted, routes: Ints, arrival: Times) -> tuple[Slots, Ints]:
        """Usable flights of the routes that any of the arrivals may reach, and for each `place << 32 | departure`."""
        first, last = int(arrival.min()), int(arrival.max()) + wanted.max_layover + 1
        way, flights = self._between(wanted, routes, first, last)
        return flights, (way << 32) + self._view.departure[flights]

    def _between(self, wanted: Wanted, routes: Ints, first: int, last: int) -> tuple[Ints, Slots]:
        """Usable flights of the routes that leave in a span: for each its route's place in `routes`, and its slot."""
        start = routes << 32
        way, places = _laid_out(self._keys.searchsorted(start + first), self._keys.searchsorted(start + last))
        slots = self._slots[places]
        usable = self._usable(wanted, slots)
        return way[usable], slots[usable]

    def _usable(self, wanted: Wanted, slots: Slots) -> NDArray[np.bool_]:
        """Whether flights can carry the party, by an airline that may be flown."""
        usable: NDArray[np.bool_] = self._view.seats[wanted.cabin][slots] >= wanted.seats
        if wanted.airlines is not None:
            usable &= wanted.airlines[self._view.airline[slots]]
        return usable


def _laid_out(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """The spans [low, high) one after the other: for each element its span, and its place."""
    counts = high - low
    np.maximum(counts, 0, out=counts)
    ends = counts.cumsum()
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(ends[-1]) + (low - ends + counts)[owner]


@lru_cache(maxsize=20_000)
def day_window(zone: ZoneInfo, day: date) -> tuple[int, int]:
    """A local day as timetable minutes [first, last): 23 or 25 hours where the clocks change."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return minutes(start), minutes(end)
