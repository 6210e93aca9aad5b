"""The lane in front of the framework answers as the documented route behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from flight_service.search.api import read_params
from flight_service.search.express_lane import SearchLane
from flight_service.search.plain_params import read_plain
from flight_service.search.schemas import SearchParams

PLAIN = [
    "origin=DAC&destination=JED&departure_date=2026-12-04",
    "origin=dac&destination=LON&departure_date=2026-12-04&return_date=2026-12-09&adults=2&children=1&infants=1",
    "origin=CGP&destination=JFK&departure_date=2026-12-04&max_stops=2&sort=-departure&limit=3&flexible_days=1",
    "origin=DAC&destination=JED&departure_date=2026-12-04&cabin=business&currency=bdt&seniors=1&students=2&max_stops=0",
    "origin=DAC&destination=DAC&departure_date=2020-02-20&adults=0&children=3",
    "origin=QQQ&destination=JED&departure_date=2026-12-04&infants=4",
]
ODD = [
    "",
    "origin=DAC",
    "origin=DAC&destination=JED&departure_date=2026-12-04&sort=cheapest",
    "origin=DAC&destination=JED&departure_date=2026-02-30",
    "origin=DAC&destination=JED&departure_date=20261204",
    "origin=DAC&destination=JED&departure_date=2026-12-04&limit=0",
    "origin=DAC&destination=JED&departure_date=2026-12-04&limit=007",
    "origin=DAC&destination=JED&departure_date=2026-12-04&limit=%31",
    "origin=DAC&destination=JED&departure_date=2026-12-04&adults=+1",
    "origin=+dac&destination=JED&departure_date=2026-12-04",
    "origin=DAC&destination=J%C3%89D&departure_date=2026-12-04",
    "origin=DAC&origin=LHR&destination=JED&departure_date=2026-12-04",
    "origin=DAC&destination=LHR&departure_date=2026-12-04&airlines=RQ&airlines=gc,hj&max_stops=1",
    "origin=DAC&destination=LHR&departure_date=2026-12-04&price_max=900&departure_after=05:00&unknown=1",
    "origin=DAC&destination=JED&departure_date=2026-12-04&return_date=&cabin=",
    "origin=DAC&destination=JED&departure_date=2026-12-04&cursor=nonsense",
    "origin=DAC&destination=JED&departure_date=2026-12-04&adults=1;drop",
    "&&origin=DAC&destination=JED&departure_date=2026-12-04",
]


def _by_model(query: str) -> SearchParams | str:
    pairs = [part.partition("=") for part in query.split("&")]
    try:
        return SearchParams.model_validate({name: value for name, _, value in pairs})
    except ValidationError as error:
        return str(error)


@pytest.mark.parametrize("query", PLAIN)
def test_the_table_reads_what_the_model_reads(query: str) -> None:
    plain = read_plain(query)
    assert plain is not None
    assert plain.model_dump() == _by_model(query).model_dump()  # type: ignore[union-attr]
    assert plain.counts() == read_params(query.encode()).counts()


@pytest.mark.parametrize("query", ODD)
def test_the_table_leaves_to_the_model_what_it_does_not_know(query: str) -> None:
    assert read_plain(query) is None


@contextmanager
def _without_lane(app: Any) -> Iterator[None]:
    routes = app.router.routes
    (lane,) = [route for route in routes if isinstance(route, SearchLane)]
    place = routes.index(lane)
    routes.remove(lane)
    try:
        yield
    finally:
        routes.insert(place, lane)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("query", [*PLAIN, *ODD])
async def test_lane_and_route_give_the_same_answer(reading: Any, query: str) -> None:
    path, headers = f"/v1/flight-offers?{query}", {**reading.headers(), "x-request-id": "0123456789abcdef"}
    express = await reading.client.get(path, headers=headers)
    with _without_lane(reading.app):
        documented = await reading.client.get(path, headers=headers)
    assert (express.status_code, express.content) == (documented.status_code, documented.content)
    assert dict(express.headers) == dict(documented.headers)
    assert express.status_code == (200 if _is_good(express) else 422), express.text


def _is_good(answer: Any) -> bool:
    return "items" in answer.json()


@pytest.mark.asyncio(loop_scope="module")
async def test_neither_answers_without_a_token_or_to_another_method(reading: Any) -> None:
    for method in ("GET", "PUT", "HEAD"):
        express = await reading.client.request(method, f"/v1/flight-offers?{PLAIN[0]}")
        with _without_lane(reading.app):
            documented = await reading.client.request(method, f"/v1/flight-offers?{PLAIN[0]}")
        assert express.status_code == documented.status_code != 200
