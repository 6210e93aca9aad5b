"""Journeys found in columns are those a plain search finds, whatever the network."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product
from typing import Any
from uuid import UUID

import pytest

from flight_service.search.journeys import LONGEST_LAYOVER, JourneySearch, Wanted
from flight_service.search.timetable import Timetable

DAY = 1_440
CODES = ["AAA", "BBB", "CCC", "DDD", "EEE"]


@dataclass(frozen=True)
class Hub:
    country: str
    min_connection_domestic: int = 60
    min_connection_international: int = 90


AIRPORTS = {code: Hub("XX" if code < "CCC" else code) for code in CODES}


def flight(no: int, dice: random.Random, **values: Any) -> dict[str, Any]:
    """A row as the feed reads it."""
    origin, destination = dice.sample(CODES, 2)
    departure = dice.randrange(3 * DAY)
    return {
        "no": no,
        "id": UUID(int=no),
        "flight_number": f"RQ{no}",
        "airline": dice.choice(["RQ", "GC"]),
        "origin": origin,
        "destination": destination,
        "departure": departure,
        "arrival": departure + dice.randrange(40, 900),
        "departure_offset": 0,
        "arrival_offset": 0,
        "aircraft": "32N",
        "status": dice.choices(["scheduled", "delayed", "cancelled"], [8, 1, 1])[0],
        "terminal": None,
        "gate": None,
        "delay_minutes": 0,
        "offer_version": 1,
        "base_fares": [dice.choice([0, 10_000, 20_000]), 0, 0, 0],
        "cabins": ["economy"],
        "free": [dice.choice([0, 1, 2, 9])],
        "capacities": [9],
        **values,
    }


def plain(rows: list[dict[str, Any]], wanted: Wanted, origin: str, destination: str) -> Iterator[tuple[int, ...]]:
    """The same rules, flight by flight."""
    usable = [
        row for row in rows if row["status"] != "cancelled" and row["base_fares"][0] and row["free"][0] >= wanted.seats
    ]
    firsts = [row for row in usable if row["origin"] == origin and wanted.span[0] <= row["departure"] < wanted.span[1]]

    def onward(row: dict[str, Any], to: str) -> list[dict[str, Any]]:
        at, after = AIRPORTS[row["destination"]], AIRPORTS[to]
        domestic = AIRPORTS[row["origin"]].country == at.country == after.country
        least = max(at.min_connection_domestic if domestic else at.min_connection_international, wanted.min_layover)
        return [
            later
            for later in usable
            if (later["origin"], later["destination"]) == (row["destination"], to)
            and least <= later["departure"] - row["arrival"] <= wanted.max_layover
        ]

    for row in firsts:
        if row["destination"] == destination:
            yield (row["no"],)
            continue
        if wanted.max_stops >= 1:
            for last in onward(row, destination):
                yield (row["no"], last["no"])
        if wanted.max_stops >= 2:
            for hub in set(CODES) - {origin, destination, row["destination"]}:
                links = onward(row, hub)
                earliest = min((link["departure"] for link in links), default=None)
                for link in links:
                    if link["departure"] == earliest:
                        lasts = onward(link, destination)
                        soonest = min((last["departure"] for last in lasts), default=None)
                        yield from (
                            (row["no"], link["no"], last["no"]) for last in lasts if last["departure"] == soonest
                        )


def found(table: Timetable, wanted: Wanted, origin: str, destination: str) -> list[tuple[int, ...]]:
    search = JourneySearch(table, table.live, AIRPORTS)
    return [
        tuple(table.no[slot] for slot in slots)
        for group in search.between(wanted, origin, destination)
        for slots in zip(*(leg.slots.tolist() for leg in group.legs), strict=True)
    ]


def filled(rows: list[dict[str, Any]]) -> Timetable:
    table = Timetable()
    for row in rows:
        table.apply(row, test_only=False)
    table.settle()
    return table


def check(table: Timetable, rows: list[dict[str, Any]], dice: random.Random) -> int:
    """Compare both searches; how many journeys there were."""
    journeys_found = 0
    for stops, (origin, destination) in product((0, 1, 2), (dice.sample(CODES, 2) for _ in range(3))):
        start = dice.randrange(2 * DAY)
        wanted = Wanted(
            span=(start, start + DAY),
            cabin=0,
            seats=dice.choice([1, 2, 5]),
            max_stops=stops,
            min_layover=dice.choice([0, 0, 200]),
            max_layover=dice.choice([LONGEST_LAYOVER, 400]),
        )
        journeys = found(table, wanted, origin, destination)
        expected = set(plain(rows, wanted, origin, destination))
        assert len(journeys) == len(set(journeys))
        assert set(journeys) == expected
        journeys_found += len(journeys)
    return journeys_found


@pytest.mark.parametrize("seed", range(25))
def test_columns_and_a_plain_search_find_the_same_journeys(seed: int) -> None:
    dice = random.Random(seed)
    rows = [flight(no, dice) for no in range(1, 250)]
    assert check(filled(rows), rows, dice) > 0


@pytest.mark.parametrize("seed", range(15))
def test_changes_leave_the_timetable_as_if_it_had_been_loaded_so(seed: int) -> None:
    dice = random.Random(seed)
    rows = [flight(no, dice) for no in range(1, 120)]
    table, numbers = filled(rows), count(1_000)
    for _ in range(6):
        for _ in range(dice.randrange(1, 30)):
            place = dice.randrange(len(rows))
            old = rows[place]
            fresh = flight(old["no"], dice)
            rows[place] = fresh | {name: old[name] for name in ("flight_number", "airline", "origin", "destination")}
            table.apply(rows[place], test_only=False)
        rows.append(flight(next(numbers), dice))
        table.apply(rows[-1], test_only=False)
        gone = rows.pop(dice.randrange(len(rows)))
        table.remove(gone["no"])
        table.settle()
        check(table, rows, dice)
    listed = len(table.live.departures.keys) - 1
    assert listed - len(table.live._gone) == sum(row["status"] != "cancelled" for row in rows)


def test_a_table_grows_while_a_search_keeps_its_view() -> None:
    dice = random.Random(1)
    table = filled([flight(no, dice, status="scheduled") for no in range(1, 1_000)])
    before = table.view
    departures = before.departure[:999].tolist()
    for no in range(1_000, 3_000):
        table.apply(flight(no, dice), test_only=False)
    table.settle()
    assert before.departure[:999].tolist() == departures == table.view.departure[:999].tolist()
    assert len(table) == 2_999
