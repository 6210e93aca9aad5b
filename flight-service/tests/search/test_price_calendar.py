"""The price calendar agrees with the search."""

from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_day_has_the_price_of_its_cheapest_offer(reading: Any) -> None:
    answer = await reading.get("/v1/price-calendar", origin="DAC", destination="LON", month="2026-12")
    assert answer.status_code == 200, answer.text
    days = {item["date"]: item for item in answer.json()["items"]}
    for ahead in (2, 5):
        (offer,) = await reading.search(
            origin="DAC", destination="LON", departure_date=reading.day(ahead), sort="price", limit=1, max_stops=1
        )
        assert days[reading.day(ahead)]["price"] == offer["price"]["total"]
    assert days["2026-12-31"]["price"] is None
    priced = [Decimal(item["price"]["amount"]) for item in days.values() if item["price"]]
    cheapest = {Decimal(item["price"]["amount"]) for item in days.values() if item["cheapest"]}
    assert cheapest == {min(priced)}


async def test_a_round_trip_costs_the_way_there_and_the_way_back(reading: Any) -> None:
    asked = {"origin": "DAC", "destination": "JED", "month": "2026-12", "trip_days": 3}
    days = {i["date"]: i["price"] for i in (await reading.get("/v1/price-calendar", **asked)).json()["items"]}
    (offer,) = await reading.search(
        origin="DAC",
        destination="JED",
        departure_date=reading.day(2),
        return_date=reading.day(5),
        sort="price",
        limit=1,
        max_stops=1,
    )
    assert days[reading.day(2)] == offer["price"]["total"]


async def test_a_month_that_is_none_is_refused(reading: Any) -> None:
    answer = await reading.get("/v1/price-calendar", origin="DAC", destination="JED", month="2026-13")
    assert answer.status_code == 422
    unknown = await reading.get("/v1/price-calendar", origin="QQQ", destination="JED", month="2026-12")
    assert unknown.json()["errors"][0]["code"] == "unknown-place"
