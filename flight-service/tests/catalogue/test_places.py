"""Finding airports."""

from typing import Any

import airportsdata
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
     ("DAC", "DAC"), ("dhaka", "DAC"), ("dahka", "DAC"), ("lond", "LHR"),
     ("londno heathrow", "LHR"), ("jeddah", "JED"),
     ("sao paulo", "GRU"),
     ("São Paulo", "GRU"), ("new york", "JFK"), ("heatrow", "LHR"), ("dubai", "DXB"), ("nyc", "JFK")],
)  # fmt: skip
async def test_a_place_is_found_as_people_type_it(reading: Any, typed: str, first: str) -> None:
    answer = await reading.get("/v1/airports", query=typed)
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"][0]["iata"] == first, [(i["iata"], i["name"]) for i in answer.json()["items"][:5]]


async def test_every_airport_is_listed_once_over_all_pages(reading: Any) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 100, "country": "GB"} | ({"cursor": cursor} if cursor else {})
        page = (await reading.get("/v1/airports", **params)).json()
        seen += [item["iata"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) > 100


async def test_every_iata_airport_of_the_data_set_is_there(reading: Any) -> None:
    rows = await reading.sql("SELECT iata FROM airport")
    assert {row["iata"] for row in rows} == airportsdata.load("IATA").keys()
    assert len(rows) > 7_000


async def test_search_pages_do_not_overlap(reading: Any) -> None:
    first = (await reading.get("/v1/airports", query="international", limit=10)).json()
    second = (await reading.get("/v1/airports", query="international", limit=10, cursor=first["next_cursor"])).json()
    assert not {i["iata"] for i in first["items"]} & {i["iata"] for i in second["items"]}


async def test_nearby_airports_come_nearest_first(reading: Any) -> None:
    items = (await reading.get("/v1/airports/lhr/nearby", radius_km=80)).json()["items"]
    assert {"LGW", "LCY", "LTN", "STN"} <= {item["iata"] for item in items}
    assert [item["distance_km"] for item in items] == sorted(item["distance_km"] for item in items)


async def test_an_unknown_airport_is_a_problem(reading: Any) -> None:
    answer = await reading.get("/v1/airports/QQQ")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert (await reading.get("/v1/airports", cursor="nonsense")).json()["code"] == "invalid-cursor"


async def test_aircraft_carry_their_seats(reading: Any) -> None:
    items = (await reading.get("/v1/aircraft")).json()["items"]
    assert len(items) >= 3
    for item in items:
        for cabin in item["cabins"]:
            seats = [seat for row in cabin["rows"] for seat in row["seats"]]
            assert cabin["capacity"] == sum(not seat["blocked"] for seat in seats)


async def test_the_test_airline_is_seen_by_test_keys_only(reading: Any) -> None:
    live = {item["iata"] for item in (await reading.get("/v1/airlines")).json()["items"]}
    headers = reading.headers(kind="partner", test_mode=True)
    test = (await reading.client.get("/v1/airlines", headers=headers)).json()["items"]
    assert "ZZ" not in live
    assert [item["iata"] for item in test] == ["ZZ"]
