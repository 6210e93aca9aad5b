"""Places looked up in the table of departures are those that halving the whole order finds."""

import random

import numpy as np
import pytest

from flight_service.search.departures import Departures

DAY = 1_440
FIRST = 29_000_000
"""A minute of the timetable's own time: no route begins at zero."""


@pytest.mark.parametrize("days", [1, 40, 900])
@pytest.mark.parametrize("seed", range(5))
def test_a_place_is_the_one_that_halving_finds(days: int, seed: int) -> None:
    dice, routes = random.Random(seed), 6
    flown = sorted((dice.randrange(routes), FIRST + dice.randrange(days * DAY)) for _ in range(400))
    keys = np.array([route << 32 | minute for route, minute in flown], np.int64)
    departures = Departures(keys, np.arange(400, dtype=np.int32), routes)

    asked = np.array([dice.randrange(routes) for _ in range(2_000)])
    minutes = np.array([FIRST + dice.randrange(-DAY, (days + 2) * DAY) for _ in range(2_000)])
    assert departures.from_minute(asked, minutes).tolist() == np.searchsorted(keys, (asked << 32) + minutes).tolist()


def test_routes_without_flights_lead_past_the_last_flight() -> None:
    nothing = Departures(np.empty(0, np.int64), np.empty(0, np.int32), 3)
    assert nothing.from_minute(np.array([0, 2]), np.array([FIRST, FIRST])).tolist() == [0, 0]

    one = Departures(np.array([FIRST], np.int64), np.array([7], np.int32), 2)
    assert one.from_minute(np.array([0, 0, 1]), np.array([FIRST, FIRST + 1, FIRST])).tolist() == [0, 1, 1]
    assert one.slots[0] == 7
