"""The flights of all routes in one order, and where each route stands in it at any time.

A key is `route << 32 | departure`. Looking a thousand moments up in a million keys by halving misses the processor's
cache twenty times each; a table of where every quarter of a day begins on every route leads to the place at once, and
the few flights of the quarter are passed one by one.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Times = NDArray[np.int32]
"""Minutes, as the timetable counts them."""
NEVER = np.int64((1 << 63) - 1)
_MINUTE = np.int64((1 << 32) - 1)
_STRETCH = 360
"""Minutes between two entries of the table: a trunk route has one or two departures in them."""
_MOST_STRETCHES = 4 * 400
"""Later departures, should there be any, are all in the last stretch of their route."""


class Departures:
    """Flights by key, never changed. `keys` and `slots` end with a flight that never leaves, past the last place."""

    def __init__(self, keys: Ints, slots: Slots, routes: int) -> None:
        self.keys: Ints = np.append(keys, NEVER)
        self.slots: Slots = np.append(slots, np.int32(0))
        self.routes = routes
        minutes = keys & _MINUTE
        self._first = int(minutes.min(initial=_MINUTE)) // _STRETCH
        last = int(minutes.max(initial=0)) // _STRETCH
        self._stretches = min(max(last - self._first + 1, 1), _MOST_STRETCHES)
        entries = (keys >> 32) * self._stretches + self._stretch(minutes)
        counts = np.bincount(entries, minlength=routes * self._stretches)
        self._begins = np.append(0, counts.cumsum()).astype(np.int32)

    def from_minute(self, routes: Ints, minutes: Ints | Times) -> Ints:
        """For each pair the place of the route's first flight that leaves at the minute or later.

        Where there is none, the place of the next route's first flight.
        """
        wanted = (routes << 32) + minutes
        places: Ints = self._begins[routes * self._stretches + self._stretch(minutes)].astype(np.int64)
        while (earlier := self.keys[places] < wanted).any():
            places += earlier
        return places

    def _stretch(self, minutes: Ints | Times) -> Ints:
        stretch: Ints = minutes // np.int64(_STRETCH)
        stretch -= self._first
        np.maximum(stretch, 0, out=stretch)
        np.minimum(stretch, self._stretches - 1, out=stretch)
        return stretch
