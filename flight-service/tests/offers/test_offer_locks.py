"""An offer keeps its price until it expires; an admin's change ends it; nobody can alter it."""

from datetime import timedelta
from typing import Any

import pytest


async def _offer(service: Any, **params: Any) -> dict[str, Any]:
    offers = await service.search(origin="DAC", destination="JED", max_stops=0, sort="price", **params)
    return dict(offers[0])


def _flight(offer: dict[str, Any]) -> str:
    return str(offer["slices"][0]["segments"][0]["flight_id"])


async def test_demand_never_changes_a_locked_price(service: Any) -> None:
    offer = await _offer(service, adults=2, children=1, infants=1)
    await service.sql(
        "UPDATE cabin_inventory SET free_seats = 5, sold_seats = capacity - 5 "
        "WHERE flight_id = $1 AND cabin = 'economy'",
        _flight(offer),
    )
    again = (await service.get(f"/v1/flight-offers/{offer['id']}")).json()
    assert again["price"] == offer["price"]
    assert again["slices"][0]["segments"][0]["free_seats"] == 5
    party = {"adults": 2, "children": 1, "infants": 1}
    found = await service.search(origin="DAC", destination="JED", max_stops=0, **party)
    now = next(o for o in found if _flight(o) == _flight(offer))
    assert float(now["price"]["total"]["amount"]) > float(offer["price"]["total"]["amount"])


async def test_an_offer_expires_after_twenty_minutes(service: Any) -> None:
    offer = await _offer(service)
    service.clock.advance(timedelta(minutes=19, seconds=59))
    assert (await service.get(f"/v1/flight-offers/{offer['id']}")).status_code == 200
    service.clock.advance(timedelta(seconds=1))
    answer = await service.get(f"/v1/flight-offers/{offer['id']}")
    assert (answer.status_code, answer.json()["code"]) == (410, "offer-expired")


@pytest.mark.parametrize(
    "change",
    [
        {"fares": {"economy": "999.00"}},
        {"delay_minutes": 45},
        {"departure_at": "2026-12-04T10:00:00+06:00"},
    ],
)
async def test_an_admins_change_ends_the_offer_and_shows_the_current_one(service: Any, change: dict[str, Any]) -> None:
    offer = await _offer(service)
    patched = await service.admin("PATCH", f"/v1/admin/flights/{_flight(offer)}", change)
    assert patched.status_code == 200, patched.text
    answer = await service.get(f"/v1/flight-offers/{offer['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")
    current = answer.json()["current_offer"]
    opened = await service.get(f"/v1/flight-offers/{current['id']}")
    assert opened.status_code == 200
    assert opened.json()["price"] == current["price"]
    if "fares" in change:
        assert current["price"]["total"] != offer["price"]["total"]


async def test_a_gate_ends_no_offer_and_a_cancellation_leaves_none(service: Any) -> None:
    offer = await _offer(service)
    assert (await service.admin("PATCH", f"/v1/admin/flights/{_flight(offer)}", {"gate": "B14"})).status_code == 200
    assert (await service.get(f"/v1/flight-offers/{offer['id']}")).status_code == 200
    await service.admin("PATCH", f"/v1/admin/flights/{_flight(offer)}", {"status": "cancelled", "reason": "Weather"})
    answer = await service.get(f"/v1/flight-offers/{offer['id']}")
    assert (answer.status_code, answer.json()["current_offer"]) == (409, None)
    found = await service.search(origin="DAC", destination="JED", max_stops=0, limit=100)
    assert _flight(offer) not in {_flight(o) for o in found}


async def test_new_rules_end_offers_and_new_rates_do_not(service: Any) -> None:
    offer = await _offer(service, currency="BDT")
    rates = (await service.admin("GET", "/v1/admin/currency-rates")).json()["rates"]
    loaded = await service.admin("PUT", "/v1/admin/currency-rates", {"rates": {**rates, "BDT": "140"}})
    assert loaded.status_code == 200, loaded.text
    again = await service.get(f"/v1/flight-offers/{offer['id']}")
    assert again.json()["price"] == offer["price"]
    assert (await _offer(service, currency="BDT"))["price"] != offer["price"]
    rules = (await service.admin("GET", "/v1/admin/fare-rules")).json()["rules"]
    rules["brands"]["basic"]["multiplier"] = 9_500
    saved = await service.admin("PUT", "/v1/admin/fare-rules", {"rules": rules, "note": "Basic costs more"})
    assert saved.status_code == 200, saved.text
    answer = await service.get(f"/v1/flight-offers/{offer['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")


async def test_an_altered_offer_id_is_not_found(service: Any) -> None:
    offer = await _offer(service)
    for position in range(0, len(offer["id"]) - 1, 7):
        letter = "A" if offer["id"][position] != "A" else "B"
        forged = offer["id"][:position] + letter + offer["id"][position + 1 :]
        answer = await service.get(f"/v1/flight-offers/{forged}")
        assert (answer.status_code, answer.json()["code"]) == (404, "offer-not-found")
    assert (await service.get("/v1/flight-offers/nonsense")).status_code == 404


async def test_the_long_form_explains_every_line(service: Any) -> None:
    offer = await _offer(service, adults=1, children=1, infants=1, fare_brand="standard")
    detail = (await service.get(f"/v1/flight-offers/{offer['id']}")).json()
    total = sum(float(entry["total"]["amount"]) for entry in detail["breakdown"])
    assert round(total, 2) == float(offer["price"]["total"]["amount"])
    for entry in detail["breakdown"]:
        lines = sum(float(line["amount"]["amount"]) for line in entry["lines"])
        assert round(lines, 2) == float(entry["total"]["amount"])
    assert {bag["code"] for bag in detail["services"]["bags"]} >= {"bag-20"}
    steps = detail["refund_schedule"][0]["schedule"]
    assert [step["fee_percent"] for step in steps] == [10, 25, 50, 100]
    assert [option["fare_brand"] for option in detail["fare_options"]] == ["basic", "standard", "flex"]
    same = next(option for option in detail["fare_options"] if option["fare_brand"] == "standard")
    assert same["total"] == offer["price"]["total"]
