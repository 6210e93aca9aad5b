"""Searches that cannot be answered say precisely why."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _codes(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"origin": "QQQ"}, ("#/query/origin", "unknown-place")),
        ({"destination": "DAC"}, ("#/query/destination", "same-place")),
        ({"departure_date": "2026-11-30"}, ("#/query/departure_date", "date-in-past")),
        ({"return_date": "2026-12-02"}, ("#/query/return_date", "return-before-departure")),
        ({"adults": 9, "children": 2}, ("#/query/adults", "too-many-passengers")),
        ({"adults": 1, "infants": 2}, ("#/query/infants", "too-many-infants")),
        ({"adults": 0, "children": 1}, ("#/query/adults", "adult-required")),
        ({"currency": "XXX"}, ("#/query/currency", "unknown-currency")),
        ({"price_min": "200", "price_max": "100"}, ("#/query/price_max", "empty-range")),
        ({"currency": "JPY", "price_max": "100.5"}, ("#/query/price_max", "invalid-amount")),
        ({"min_layover": 300, "max_layover": 100}, ("#/query/max_layover", "empty-range")),
        ({"departure_after": "25:00"}, ("#/query/departure_after", "value-error")),
        ({"cabin": "sleeper"}, ("#/query/cabin", "literal-error")),
        ({"max_stops": 3}, ("#/query/max_stops", "less-than-equal")),
        ({"departure_date": "soon"}, ("#/query/departure_date", "date-from-datetime-parsing")),
        ({"limit": 0}, ("#/query/limit", "greater-than-equal")),
    ],
)
async def test_each_mistake_has_its_place_and_code(
    reading: Any, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    asked = {"origin": "DAC", "destination": "JED", "departure_date": "2026-12-04", **change}
    assert expected in _codes(await reading.get("/v1/flight-offers", **asked))


async def test_a_cabin_the_aircraft_lacks_is_told_with_those_it_has(reading: Any) -> None:
    asked = {"origin": "DAC", "destination": "CGP", "departure_date": reading.day(3), "max_stops": 0}
    assert (await reading.get("/v1/flight-offers", **asked)).json()["items"]
    answer = await reading.get("/v1/flight-offers", **asked, cabin="first")
    assert _codes(answer) == [("#/query/cabin", "cabin-not-on-aircraft")]
    assert "economy" in answer.json()["detail"]
    slices = [{"origin": "DAC", "destination": "CGP", "departure_date": reading.day(3)}]
    body = {"slices": slices, "cabin": "first", "filters": {"max_stops": 0}}
    answer = await reading.client.post("/v1/flight-offers", json=body, headers=reading.headers())
    assert _codes(answer) == [("#/cabin", "cabin-not-on-aircraft")]


async def test_a_search_that_finds_nothing_for_another_reason_is_an_empty_page(reading: Any) -> None:
    nobody_flies = {"origin": "CXB", "destination": "SYD", "departure_date": reading.day(3), "max_stops": 0}
    too_dear = {"origin": "DAC", "destination": "CGP", "departure_date": reading.day(3), "price_max": "1"}
    for asked in (nobody_flies, nobody_flies | {"cabin": "first"}, too_dear):
        answer = await reading.get("/v1/flight-offers", **asked)
        assert (answer.status_code, answer.json().get("items")) == (200, [])


async def test_all_mistakes_are_told_at_once(reading: Any) -> None:
    answer = await reading.get(
        "/v1/flight-offers", origin="QQQ", destination="QQZ", departure_date="2020-01-01", infants=3
    )
    assert {code for _, code in _codes(answer)} == {"unknown-place", "date-in-past", "too-many-infants"}


async def test_a_cursor_of_another_search_is_refused(reading: Any) -> None:
    asked = {"origin": "CGP", "destination": "LHR", "departure_date": reading.day(3), "limit": 1}
    cursor = (await reading.get("/v1/flight-offers", **asked)).json()["next_cursor"]
    assert cursor
    other = await reading.get("/v1/flight-offers", **asked, sort="price", cursor=cursor)
    assert (other.status_code, other.json()["code"]) == (422, "invalid-cursor")
    forged = await reading.get("/v1/flight-offers", **asked, cursor="bm9uc2Vuc2U")
    assert (forged.status_code, forged.json()["code"]) == (422, "invalid-cursor")


async def test_slices_must_follow_each_other(reading: Any) -> None:
    body = {
        "slices": [
            {"origin": "DAC", "destination": "JED", "departure_date": reading.day(5)},
            {"origin": "JED", "destination": "DAC", "departure_date": reading.day(3)},
        ]
    }
    answer = await reading.client.post("/v1/flight-offers", json=body, headers=reading.headers())
    assert _codes(answer) == [("#/slices/1/departure_date", "slices-out-of-order")]
    answer = await reading.client.post("/v1/flight-offers", json={"slices": []}, headers=reading.headers())
    assert answer.status_code == 422


async def test_nobody_searches_without_a_token(reading: Any) -> None:
    answer = await reading.client.get("/v1/flight-offers")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
