"""Each feature of the search, held against the same search without it."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASKED = {"origin": "DAC", "destination": "LHR", "max_stops": 1, "limit": 100}
BANDS = {"night": (0, 5), "morning": (5, 11), "midday": (11, 16), "afternoon": (16, 19), "evening": (19, 24)}


def _segments(offer: dict[str, Any]) -> list[dict[str, Any]]:
    return [segment for part in offer["slices"] for segment in part["segments"]]


def _key(offer: dict[str, Any]) -> tuple[str, ...]:
    return tuple(segment["flight_id"] for segment in _segments(offer))


def _at(segment: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(segment[name])


def _minutes(offer: dict[str, Any]) -> float:
    segments = _segments(offer)
    return (_at(segments[-1], "arrival_at") - _at(segments[0], "departure_at")) / timedelta(minutes=1)


def _layovers(offer: dict[str, Any]) -> list[float]:
    waits = pairwise(_segments(offer))
    return [(_at(b, "departure_at") - _at(a, "arrival_at")) / timedelta(minutes=1) for a, b in waits]


async def _keys(reading: Any, **filters: Any) -> set[tuple[str, ...]]:
    return {_key(offer) for offer in await _all(reading, **filters)}


async def _all(reading: Any, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        asked = {**ASKED, "departure_date": reading.day(3), **filters, **cursor}
        page = (await reading.get("/v1/flight-offers", **asked)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(reading: Any) -> list[dict[str, Any]]:
    return await _all(reading)


@pytest.mark.parametrize("band", BANDS)
async def test_a_part_of_the_day_is_the_same_as_its_two_times(reading: Any, everything: Any, band: str) -> None:
    first, last = BANDS[band]
    wanted = {_key(o) for o in everything if first <= _at(_segments(o)[0], "departure_at").hour < last}
    assert await _keys(reading, departure_band=band) == wanted
    times = {"departure_after": f"{first:02d}:00", "departure_before": f"{last:02d}:00"}
    assert await _keys(reading, **times) == wanted


async def test_a_part_of_the_day_and_times_together_are_refused(reading: Any) -> None:
    asked = {**ASKED, "departure_date": reading.day(3), "departure_band": "night", "departure_after": "06:00"}
    answer = await reading.get("/v1/flight-offers", **asked)
    assert [error["code"] for error in answer.json()["errors"]] == ["conflicting-filters"]


async def test_an_arrival_window_may_pass_midnight_and_is_local(reading: Any, everything: Any) -> None:
    late = {_key(o) for o in everything if not 6 <= _at(_segments(o)[-1], "arrival_at").hour < 20}
    assert await _keys(reading, arrival_after="20:00", arrival_before="06:00") == late
    assert 0 < len(late) < len(everything)


async def test_the_longest_journey_is_kept_to_the_minute(reading: Any, everything: Any) -> None:
    bound = sorted(map(_minutes, everything))[len(everything) // 2]
    assert await _keys(reading, max_duration=int(bound)) == {_key(o) for o in everything if _minutes(o) <= bound}


async def test_layovers_lie_between_their_bounds(reading: Any, everything: Any) -> None:
    wanted = {_key(o) for o in everything if all(150 <= wait <= 600 for wait in _layovers(o))}
    assert await _keys(reading, min_layover=150, max_layover=600) == wanted
    assert 0 < len(wanted) < len(everything)


async def test_stops_are_at_most_those_asked_for(reading: Any, everything: Any) -> None:
    direct = {_key(o) for o in everything if len(_segments(o)) == 1}
    assert await _keys(reading, max_stops=0) == direct
    assert await _keys(reading, max_stops=2) >= {_key(o) for o in everything}


async def test_a_price_range_is_of_the_party_s_total_in_the_currency_asked_for(reading: Any) -> None:
    party = {"adults": 2, "children": 1, "currency": "BDT"}
    offers = await _all(reading, **party)
    totals = sorted(Decimal(offer["price"]["total"]["amount"]) for offer in offers)
    least, most = totals[len(totals) // 4], totals[len(totals) // 2]
    within = {_key(o) for o in offers if least <= Decimal(o["price"]["total"]["amount"]) <= most}
    assert await _keys(reading, **party, price_min=str(least), price_max=str(most)) == within
    assert all(offer["price"]["total"]["currency"] == "BDT" for offer in offers)


async def test_a_checked_bag_is_in_the_fare_when_it_is_asked_for(reading: Any, everything: Any) -> None:
    bagged = await _all(reading, checked_bag="true")
    assert {_key(offer) for offer in bagged} == {_key(offer) for offer in everything}
    assert all(offer["fare_rules"]["bags"]["checked_kg"] > 0 for offer in bagged)


async def test_cabin_and_party_default_to_one_adult_in_economy_and_the_cabin_is_echoed(reading: Any) -> None:
    asked = {"origin": "DAC", "destination": "JED", "departure_date": reading.day(3)}
    page = (await reading.get("/v1/flight-offers", **asked)).json()
    assert (page["cabin"], page["currency"]) == ("economy", "USD")
    assert [(entry["type"], entry["count"]) for entry in page["items"][0]["price"]["per_passenger"]] == [("adult", 1)]
    business = (await reading.get("/v1/flight-offers", **asked, cabin="business")).json()
    assert business["cabin"] == "business"
    assert all(s["cabin"] == "business" for offer in business["items"] for s in _segments(offer))


async def test_best_is_price_and_time_together_at_twelve_dollars_an_hour(everything: Any) -> None:
    def cost(offer: dict[str, Any]) -> Decimal:
        return Decimal(offer["price"]["total"]["amount"]) + Decimal(_minutes(offer)) * Decimal("0.20")

    costs = [cost(offer) for offer in everything]
    assert costs == sorted(costs)


async def test_an_offer_says_where_its_stars_and_their_number_will_stand(everything: Any) -> None:
    assert {(offer["average_rating"], offer["review_count"]) for offer in everything} == {(None, 0)}
