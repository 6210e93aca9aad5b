"""The departure board."""

from datetime import datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_board_of_today_is_in_the_origins_own_day(reading: Any) -> None:
    page = (await reading.get("/v1/flights", date="today", origin="DAC", limit=100)).json()
    assert page["items"]
    assert {item["departure_at"][:10] for item in page["items"]} == {reading.day(0)}
    assert all(item["origin"] == "DAC" and item["departure_at"].endswith("+06:00") for item in page["items"])
    times = [item["departure_at"] for item in page["items"]]
    assert times == sorted(times)


async def test_the_board_of_tomorrow_pages_without_gap_or_repeat(reading: Any) -> None:
    whole = (await reading.get("/v1/flights", date="tomorrow", origin="LHR", limit=100)).json()["items"]
    seen: list[str] = []
    cursor = None
    while True:
        params = {"date": "tomorrow", "origin": "LHR", "limit": 7} | ({"cursor": cursor} if cursor else {})
        page = (await reading.get("/v1/flights", **params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [item["id"] for item in whole]


async def test_when_days_differ_each_origin_has_its_own_today_and_tomorrow(service: Any) -> None:
    service.clock.advance(timedelta(hours=12))  # 20:00 UTC on the first: already the second in Dhaka, not in London
    for origin, today in (("DAC", 2), ("LHR", 1)):
        for ahead, asked in enumerate(("today", "tomorrow")):
            page = (await service.get("/v1/flights", date=asked, origin=origin, limit=100)).json()
            days = {item["departure_at"][:10] for item in page["items"]}
            assert days == {f"2026-12-{today + ahead:02}"}, (origin, asked)


async def test_one_flight_shows_its_cabins_and_price(reading: Any) -> None:
    (offer, *_) = await reading.search(origin="DAC", destination="JED", max_stops=0)
    segment = offer["slices"][0]["segments"][0]
    flight = (await reading.get(f"/v1/flights/{segment['flight_id']}")).json()
    economy = next(cabin for cabin in flight["cabins"] if cabin["cabin"] == "economy")
    assert economy["free_seats"] == segment["free_seats"]
    assert economy["from_price"] == offer["price"]["total"]
    missing = await reading.get("/v1/flights/0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11")
    assert (missing.status_code, missing.json()["code"]) == (404, "flight-not-found")


async def test_a_test_flight_is_not_found_by_others(reading: Any) -> None:
    headers = reading.headers(kind="partner", test_mode=True)
    params = {"origin": "DAC", "destination": "JED", "departure_date": reading.day(3)}
    (offer, *_) = (await reading.client.get("/v1/flight-offers", params=params, headers=headers)).json()["items"]
    segment = offer["slices"][0]["segments"][0]
    assert segment["airline"] == "ZZ"
    assert (await reading.get(f"/v1/flights/{segment['flight_id']}")).status_code == 404
    assert (await reading.get(f"/v1/flight-offers/{offer['id']}")).json()["code"] == "offer-not-found"
    assert (await reading.client.get(f"/v1/flight-offers/{offer['id']}", headers=headers)).status_code == 200


async def test_the_board_can_show_only_what_may_still_be_booked(service: Any) -> None:
    asked = {"date": "today", "origin": "DAC", "limit": 100}
    whole = (await service.get("/v1/flights", **asked)).json()["items"]
    left = [entry for entry in whole if datetime.fromisoformat(entry["departure_at"]) > service.clock.now()]
    full, *others = left
    await service.sql(
        "UPDATE cabin_inventory SET sold_seats = sold_seats + free_seats, free_seats = 0 WHERE flight_id = $1",
        full["id"],
    )
    shown = (await service.get("/v1/flights", **asked, available="true")).json()["items"]
    assert [entry["id"] for entry in shown] == [entry["id"] for entry in others]
    assert len(whole) > len(left) > 1, "some have left already"
