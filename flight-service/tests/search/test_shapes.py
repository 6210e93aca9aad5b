"""The answer's shape follows the journey asked for."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from flight_service.offers.schemas import MultiCityPage, OfferPage, OneWayPage, ReturnPage

pytestmark = pytest.mark.asyncio(loop_scope="module")
_PAGE: TypeAdapter[OneWayPage | ReturnPage | MultiCityPage] = TypeAdapter(OfferPage)


async def _posted(reading: Any, *slices: tuple[str, str, int], limit: int = 20) -> Any:
    body = {
        "slices": [
            {"origin": origin, "destination": destination, "departure_date": reading.day(day)}
            for origin, destination, day in slices
        ],
        "limit": limit,
    }
    answer = await reading.client.post("/v1/flight-offers", json=body, headers=reading.headers())
    assert answer.status_code == 200, answer.text
    return _PAGE.validate_python(answer.json(), strict=False)


async def _got(reading: Any, **asked: Any) -> Any:
    asked = {"origin": "DAC", "destination": "LHR", "departure_date": reading.day(3), "limit": 5, **asked}
    answer = await reading.get("/v1/flight-offers", **asked)
    assert answer.status_code == 200, answer.text
    return _PAGE.validate_python(answer.json(), strict=False)


async def test_each_kind_of_journey_has_its_own_shape(reading: Any) -> None:
    out, back, on = ("DAC", "JED", 2), ("JED", "DAC", 5), ("JED", "DXB", 5)
    answers = [
        (await _got(reading), OneWayPage, 1),
        (await _got(reading, return_date=reading.day(6)), ReturnPage, 2),
        (await _posted(reading, out), OneWayPage, 1),
        (await _posted(reading, out, back), ReturnPage, 2),
        (await _posted(reading, out, on), MultiCityPage, 2),
        (await _posted(reading, out, back, ("DAC", "JED", 7)), MultiCityPage, 3),
    ]
    for page, shape, slices in answers:
        assert type(page) is shape
        assert page.items, shape
        assert {len(offer.slices) for offer in page.items} == {slices}


async def test_the_api_document_tells_the_three_shapes_apart(reading: Any) -> None:
    document = reading.app.openapi()
    for method in ("get", "post"):
        answer = document["paths"]["/v1/flight-offers"][method]["responses"]["200"]
        schema = answer["content"]["application/json"]["schema"]
        assert schema["discriminator"]["propertyName"] == "journey"
        assert set(schema["discriminator"]["mapping"]) == {"one_way", "return", "multi_city"}
