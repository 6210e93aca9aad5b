"""Searching one-way flights."""

from decimal import Decimal
from typing import Any

import pytest

from flight_service.offers.schemas import OfferDetail, OneWayPage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_direct_search_gives_complete_offers_with_exact_seats(reading: Any) -> None:
    answer = await reading.get(
        "/v1/flight-offers",
        origin="DAC",
        destination="JED",
        departure_date=reading.day(3),
        adults=2,
        infants=1,
        max_stops=0,
    )
    assert answer.status_code == 200, answer.text
    page = OneWayPage.model_validate(answer.json())
    assert len(page.items) >= 3
    for offer in page.items:
        (part,) = offer.slices
        assert (part.origin, part.destination, part.stops) == ("DAC", "JED", 0)
        assert part.segments[0].departure_at.date().isoformat() == reading.day(3)
        rows = await reading.sql(
            "SELECT free_seats FROM cabin_inventory WHERE flight_id = $1 AND cabin = 'economy'",
            part.segments[0].flight_id,
        )
        assert part.segments[0].free_seats == rows[0]["free_seats"]
        total = Decimal(offer.price.total.amount)
        assert total == sum(Decimal(entry.total.amount) for entry in offer.price.per_passenger)
        assert total == Decimal(offer.price.base.amount) + sum(Decimal(tax.amount.amount) for tax in offer.price.taxes)


async def test_a_one_stop_search_respects_minimum_connections(reading: Any) -> None:
    offers = await reading.search(origin="CGP", destination="JFK", max_stops=1, limit=100)
    assert offers
    for offer in offers:
        segments = offer["slices"][0]["segments"]
        assert len(segments) == 2
        assert segments[0]["destination"] == segments[1]["origin"]


async def test_a_search_opens_as_the_same_price(reading: Any) -> None:
    for offer in (await reading.search(origin="DAC", destination="LHR", adults=1, children=2, currency="KWD"))[:5]:
        answer = await reading.get(f"/v1/flight-offers/{offer['id']}")
        assert answer.status_code == 200, answer.text
        detail = OfferDetail.model_validate(answer.json())
        assert answer.json()["price"] == offer["price"]
        assert answer.json()["slices"] == offer["slices"]
        assert {option.fare_brand for option in detail.fare_options} == {"basic", "standard", "flex"}
