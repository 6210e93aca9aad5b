"""Admins keep cities, airports, airlines and aircraft types; each change leaves an audit row."""

from typing import Any

import pytest

AIRPORT = {
    "icao": "ZZQA",
    "name": "Qandil International Airport",
    "city": "Qandil",
    "city_code": "LON",
    "country": "GB",
    "latitude": 51.2,
    "longitude": -0.4,
    "time_zone": "Europe/London",
}
AIRLINE = {"name": "Quay Air", "accounting_code": "977", "country": "GB"}
AIRCRAFT = {
    "name": "Q100",
    "manufacturer": "Quay",
    "layout": {"cabins": [{"cabin": "economy", "rows": [1, 20], "letters": "AB CD", "exit_rows": [8]}]},
}


async def _audit(service: Any, resource: str, code: str) -> list[str]:
    rows = await service.sql(
        "SELECT action FROM admin_audit WHERE resource = $1 AND resource_id = $2 ORDER BY at, id", resource, code
    )
    return [row["action"] for row in rows]


async def test_an_airport_is_created_found_changed_and_removed(service: Any) -> None:
    made = await service.admin("PUT", "/v1/admin/airports/QQA", AIRPORT)
    assert (made.status_code, made.json()["min_connection_domestic"]) == (201, 60), made.text
    found = (await service.get("/v1/airports", query="qandill")).json()["items"]
    assert found[0]["iata"] == "QQA"
    changed = await service.admin("PUT", "/v1/admin/airports/QQA", {**AIRPORT, "min_connection_domestic": 40})
    assert (changed.status_code, changed.json()["min_connection_domestic"]) == (200, 40)
    assert (await service.admin("DELETE", "/v1/admin/airports/QQA")).status_code == 204
    assert (await service.admin("DELETE", "/v1/admin/airports/QQA")).json()["code"] == "not-found"
    assert await _audit(service, "airport", "QQA") == ["create", "change", "remove"]


async def test_an_airport_with_mistakes_is_refused_with_all_of_them(service: Any) -> None:
    wrong = {**AIRPORT, "country": "QQ", "city_code": "QQQ", "time_zone": "Europe/Nowhere"}
    answer = await service.admin("PUT", "/v1/admin/airports/QQA", wrong)
    assert answer.status_code == 422
    assert {error["code"] for error in answer.json()["errors"]} == {
        "unknown-country",
        "unknown-place",
        "unknown-time-zone",
    }
    beyond = await service.admin("PUT", "/v1/admin/airports/QQA", {**AIRPORT, "latitude": 91})
    assert (beyond.status_code, beyond.json()["code"]) == (422, "validation-failed")
    taken = await service.admin("PUT", "/v1/admin/airports/QQA", {**AIRPORT, "icao": "EGLL"})
    assert (taken.status_code, taken.json()["code"]) == (409, "already-exists")
    assert await _audit(service, "airport", "QQA") == []


async def test_an_airport_that_flights_serve_stays_where_it_is(service: Any) -> None:
    assert (await service.admin("DELETE", "/v1/admin/airports/DAC")).json()["code"] == "in-use"
    answer = await service.admin("PUT", "/v1/admin/airports/DAC", {**AIRPORT, "icao": None})
    assert (answer.status_code, answer.json()["code"]) == (409, "in-use")


async def test_a_city_is_created_listed_and_removed_only_when_no_airport_belongs_to_it(service: Any) -> None:
    city = {"name": "Qandil", "country": "GB"}
    assert (await service.admin("PUT", "/v1/admin/cities/QQC", city)).status_code == 201
    assert (await service.admin("PUT", "/v1/admin/cities/QQC", {**city, "name": "New Qandil"})).status_code == 200
    await service.admin("PUT", "/v1/admin/airports/QQA", {**AIRPORT, "city_code": "QQC"})
    listed = (await service.get("/v1/cities", prefix="new qan")).json()["items"]
    assert listed == [{"code": "QQC", "name": "New Qandil", "country": "GB", "airports": ["QQA"]}]
    assert (await service.admin("DELETE", "/v1/admin/cities/QQC")).json()["code"] == "in-use"
    await service.admin("DELETE", "/v1/admin/airports/QQA")
    assert (await service.admin("DELETE", "/v1/admin/cities/QQC")).status_code == 204
    assert await _audit(service, "city", "QQC") == ["create", "change", "remove"]


async def test_a_country_is_created_renamed_and_removed_only_when_nothing_is_in_it(service: Any) -> None:
    assert (await service.admin("PUT", "/v1/admin/countries/QQ", {"name": "Qandilia"})).status_code == 201
    assert (await service.admin("PUT", "/v1/admin/countries/QQ", {"name": "New Qandilia"})).status_code == 200
    await service.admin("PUT", "/v1/admin/cities/QQC", {"name": "Qandil", "country": "QQ"})
    await service.admin("PUT", "/v1/admin/airports/QQA", {**AIRPORT, "country": "QQ", "city_code": "QQC"})
    named = (await service.get("/v1/airports/QQA")).json()
    assert "New Qandilia" in named.values()
    assert (await service.admin("DELETE", "/v1/admin/countries/QQ")).json()["code"] == "in-use"
    await service.admin("DELETE", "/v1/admin/airports/QQA")
    await service.admin("DELETE", "/v1/admin/cities/QQC")
    assert (await service.admin("DELETE", "/v1/admin/countries/QQ")).status_code == 204
    assert await _audit(service, "country", "QQ") == ["create", "change", "remove"]


async def test_cities_and_countries_are_paged_and_a_prefix_is_taken_literally(service: Any) -> None:
    (london,) = (await service.get("/v1/cities", prefix="LON", country="gb")).json()["items"]
    assert {"LHR", "LGW", "LCY", "STN"} <= set(london["airports"])
    assert (await service.get("/v1/cities", prefix="%")).json()["items"] == []
    first = (await service.get("/v1/countries", limit=2)).json()
    second = (await service.get("/v1/countries", limit=2, cursor=first["next_cursor"])).json()
    assert len({item["code"] for item in first["items"] + second["items"]}) == 4


async def test_airlines_and_aircraft_are_kept_with_their_audit(service: Any) -> None:
    assert (await service.admin("PUT", "/v1/admin/airlines/Q9", AIRLINE)).status_code == 201
    taken = await service.admin("PUT", "/v1/admin/airlines/Q8", AIRLINE)
    assert (taken.status_code, taken.json()["code"]) == (409, "already-exists")
    assert (await service.admin("DELETE", "/v1/admin/airlines/Q9")).status_code == 204
    assert (await service.admin("DELETE", "/v1/admin/airlines/RQ")).json()["code"] == "in-use"
    assert await _audit(service, "airline", "Q9") == ["create", "remove"]
    assert (await service.admin("PUT", "/v1/admin/aircraft/Q100", AIRCRAFT)).status_code == 201
    assert (await service.admin("DELETE", "/v1/admin/aircraft/Q100")).status_code == 204
    assert (await service.admin("DELETE", "/v1/admin/aircraft/32N")).json()["code"] == "in-use"
    flying = await service.admin("PUT", "/v1/admin/aircraft/32N", AIRCRAFT)
    assert (flying.status_code, flying.json()["code"]) == (409, "in-use")
    assert await _audit(service, "aircraft", "Q100") == ["create", "remove"]


async def test_a_seat_layout_is_exported_and_imported_under_another_code(service: Any) -> None:
    exported = await service.admin("GET", "/v1/admin/aircraft/32N")
    assert exported.status_code == 200, exported.text
    made = await service.admin("PUT", "/v1/admin/aircraft/Q321", exported.json())
    assert made.status_code == 201, made.text
    assert (await service.admin("GET", "/v1/admin/aircraft/Q321")).json() == exported.json()
    types = {item["code"]: item["cabins"] for item in (await service.get("/v1/aircraft", limit=100)).json()["items"]}
    assert types["Q321"] == types["32N"]
    assert (await service.admin("GET", "/v1/admin/aircraft/Q999")).json()["code"] == "not-found"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/admin/airports/QQA", AIRPORT),
        ("DELETE", "/v1/admin/airports/QQA", None),
        ("PUT", "/v1/admin/cities/QQC", {"name": "Qandil", "country": "GB"}),
        ("DELETE", "/v1/admin/cities/QQC", None),
        ("PUT", "/v1/admin/countries/QQ", {"name": "Qandilia"}),
        ("DELETE", "/v1/admin/countries/QQ", None),
        ("PUT", "/v1/admin/airlines/Q9", AIRLINE),
        ("PUT", "/v1/admin/aircraft/Q100", AIRCRAFT),
    ],
)
async def test_only_admins_keep_the_catalogue(service: Any, method: str, path: str, body: Any) -> None:
    answer = await service.client.request(method, path, json=body, headers=service.headers())
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
