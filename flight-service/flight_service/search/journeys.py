"""Find journeys in the timetable: direct, one stop, two stops. Pure computation over columns in memory.

Rules: connections respect the airport's minimum connection time (domestic when both flights are) and last 24 hours at
most; no airport twice; every flight has the seats asked for. With two stops, each first flight is continued by the
earliest connections only, one for each pair of airports: later ones are the same journey with more waiting.

Spans of the network's order are found for all hubs in one call and laid out flat, as is what may follow each flight;
nothing here loops over flights, only past those that are sold out.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from flight_service.search.departures import Ints, Slots, Times
from flight_service.search.network import Airports, Network
from flight_service.search.timetable import Timetable, minutes

LONGEST_LAYOVER = 24 * 60


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
        self._departures = network.departures
        self._keys, self._slots = network.departures.keys, network.departures.slots
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
        arrival, routes = self._view.arrival[legs], plan.onward[way]
        shortest = np.maximum(plan.shortest[way], wanted.min_layover)
        ends = np.concatenate((arrival + shortest, arrival + (wanted.max_layover + 1)))
        low, high = self._departures.from_minute(np.concatenate((routes, routes)), ends).reshape(2, -1)
        leg, places = _laid_out(low, high)
        next_legs = self._slots[places]
        usable = self._usable(wanted, next_legs)
        return Journeys((Leg(legs, leg[usable]), Leg(next_legs[usable])))

    def _two_stops(self, wanted: Wanted, origin: str, destination: str) -> Journeys | None:
        plan = self._network.two_stops(self._airports, origin, destination)
        if plan is None:
            return None
        way, legs = self._between(wanted, plan.first, *wanted.span)
        if not len(legs):
            return None
        leg, way = _laid_out(plan.begins[way], plan.ends[way])
        links, fits = self._earliest(wanted, self._view.arrival[legs][leg], plan.middle[way], plan.shortest[way])
        leg, way = leg[fits], way[fits]
        if not len(leg):
            return None
        lasts, fits = self._earliest(wanted, self._view.arrival[links], plan.last[way], plan.shortest_on[way])
        return Journeys((Leg(legs, leg[fits]), Leg(links[fits]), Leg(lasts)))

    def _earliest(
        self, wanted: Wanted, arrival: Times, routes: Ints, shortest: Ints
    ) -> tuple[Slots, NDArray[np.bool_]]:
        """For each arrival the first usable flight of its route that can be reached.

        The flights of those that reach one, and whether an arrival does.
        """
        places = self._departures.from_minute(routes, arrival + np.maximum(shortest, wanted.min_layover))
        latest = (routes << 32) + (arrival + wanted.max_layover)
        fits = self._keys[places] <= latest
        flights = self._slots[places]
        unsold = (fits & ~self._usable(wanted, flights)).nonzero()[0]
        while len(unsold):
            places[unsold] += 1
            flights[unsold] = self._slots[places[unsold]]
            fits[unsold] = self._keys[places[unsold]] <= latest[unsold]
            unsold = unsold[fits[unsold] & ~self._usable(wanted, flights[unsold])]
        return flights[fits], fits

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
