"""Filters, sorts, pages, returns and multi-city."""

from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _total(offer: dict[str, Any]) -> Decimal:
    return Decimal(offer["price"]["total"]["amount"])


def _flights(offer: dict[str, Any]) -> list[str]:
    return [segment["flight_id"] for part in offer["slices"] for segment in part["segments"]]


async def _all(reading: Any, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await reading.get("/v1/flight-offers", departure_date=reading.day(3), **params, **more)).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("sort", ["best", "price", "duration", "departure", "arrival", "-price", "-departure"])
async def test_pages_give_the_whole_search_once_and_in_order(reading: Any, sort: str) -> None:
    asked = {"origin": "DAC", "destination": "LHR", "max_stops": 1, "sort": sort}
    whole = await _all(reading, **asked, limit=100)
    paged = await _all(reading, **asked, limit=7)
    assert [_flights(offer) for offer in paged] == [_flights(offer) for offer in whole]
    assert len({tuple(_flights(offer)) for offer in whole}) == len(whole) > 7
    if sort.endswith("price"):
        totals = [_total(offer) for offer in whole]
        assert totals == sorted(totals, reverse=sort.startswith("-"))
    if sort.endswith("departure"):
        times = [offer["slices"][0]["segments"][0]["departure_at"] for offer in whole]
        assert times == sorted(times, reverse=sort.startswith("-"))


async def test_filters_keep_what_fits(reading: Any) -> None:
    asked = {"origin": "DAC", "destination": "LHR", "max_stops": 1, "limit": 100}
    everything = await reading.search(**asked)
    airlines = {s["airline"] for offer in everything for s in offer["slices"][0]["segments"]}
    assert len(airlines) > 2
    only = await reading.search(**asked, airlines="RQ")
    assert only
    assert all(s["airline"] == "RQ" for offer in only for s in offer["slices"][0]["segments"])
    without = await reading.search(**asked, exclude_airlines=["RQ", "GC"])
    assert without
    assert not {"RQ", "GC"} & {s["airline"] for o in without for s in o["slices"][0]["segments"]}
    limit = sorted(_total(offer) for offer in everything)[3]
    cheap = await reading.search(**asked, price_max=str(limit))
    assert len(cheap) >= 4
    assert all(_total(offer) <= limit for offer in cheap)
    morning = await reading.search(**asked, departure_after="05:00", departure_before="11:00")
    assert morning
    assert all("05" <= o["slices"][0]["segments"][0]["departure_at"][11:13] < "11" for o in morning)
    short = await reading.search(**asked, max_layover=200)
    assert 0 < len(short) < len(everything)
    direct = await reading.search(**asked, flight_number="RQ109")
    assert direct
    assert all("RQ109" in {s["flight_number"] for s in o["slices"][0]["segments"]} for o in direct)


async def test_refundable_and_bag_filters_choose_the_brand(reading: Any) -> None:
    basic, standard, flex = [
        (await reading.search(origin="DAC", destination="JED", max_stops=0, sort="price", limit=1, **filters))[0]
        for filters in ({}, {"refundable": "true"}, {"fare_brand": "flex"})
    ]
    assert not basic["fare_rules"]["refundable"]
    assert basic["slices"][0]["segments"][0]["fare_brand"] == "basic"
    assert standard["fare_rules"]["refundable"]
    assert standard["fare_rules"]["bags"]["checked_kg"] > 0
    assert flex["slices"][0]["segments"][0]["fare_brand"] == "flex"
    assert _total(basic) < _total(standard) < _total(flex)


async def test_a_return_is_one_offer_with_two_slices(reading: Any) -> None:
    offers = await reading.search(origin="DAC", destination="JED", return_date=reading.day(6), max_stops=1, limit=50)
    assert offers
    for offer in offers:
        out, back = offer["slices"]
        assert (out["origin"], out["destination"], back["origin"], back["destination"]) == ("DAC", "JED", "JED", "DAC")
        assert out["segments"][-1]["arrival_at"] < back["segments"][0]["departure_at"]
    best = await reading.search(origin="DAC", destination="JED", return_date=reading.day(6), sort="price", limit=1)
    singles = [
        (await reading.search(origin=a, destination=b, departure_date=reading.day(d), sort="price", limit=1))[0]
        for a, b, d in (("DAC", "JED", 3), ("JED", "DAC", 6))
    ]
    assert _total(best[0]) == sum(_total(offer) for offer in singles)


async def test_multi_city_pages_like_any_search(reading: Any) -> None:
    body: dict[str, Any] = {
        "slices": [
            {"origin": "DAC", "destination": "JED", "departure_date": reading.day(2)},
            {"origin": "JED", "destination": "IST", "departure_date": reading.day(4)},
            {"origin": "IST", "destination": "LON", "departure_date": reading.day(6)},
        ],
        "passengers": {"adults": 1, "students": 1},
        "sort": "price",
        "limit": 10,
    }
    answer = await reading.client.post("/v1/flight-offers", json=body, headers=reading.headers())
    assert answer.status_code == 200, answer.text
    first = answer.json()
    assert len(first["items"]) == 10
    assert all(len(offer["slices"]) == 3 for offer in first["items"])
    body["cursor"] = first["next_cursor"]
    second = (await reading.client.post("/v1/flight-offers", json=body, headers=reading.headers())).json()
    seen = [tuple(_flights(offer)) for offer in first["items"] + second["items"]]
    assert len(set(seen)) == len(seen)
    totals = [_total(offer) for offer in first["items"] + second["items"]]
    assert totals == sorted(totals)


async def test_city_codes_flexible_days_and_nearby_airports_widen_a_search(reading: Any) -> None:
    city = await reading.search(origin="LON", destination="NYC", max_stops=0, limit=100)
    assert {offer["slices"][0]["origin"] for offer in city} == {"LHR"}
    flexible = await reading.search(origin="DAC", destination="JED", max_stops=0, flexible_days=2, limit=100)
    assert {o["slices"][0]["segments"][0]["departure_at"][:10] for o in flexible} == {
        reading.day(d) for d in range(1, 6)
    }
    near = await reading.search(origin="DAC", destination="JED", max_stops=0, include_nearby="true", limit=100)
    assert len(near) >= len(await reading.search(origin="DAC", destination="JED", max_stops=0, limit=100))


async def test_two_stops_are_found_where_nothing_shorter_is(reading: Any) -> None:
    answer = await reading.get("/v1/flight-offers", origin="CXB", destination="SYD", departure_date=reading.day(3))
    page = answer.json()
    assert page["items"]
    assert page["notes"]
    for offer in page["items"]:
        stops = [segment["origin"] for segment in offer["slices"][0]["segments"]] + ["SYD"]
        assert len(set(stops)) == len(stops) == 4
