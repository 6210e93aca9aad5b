"""Offers say when a traveller must go on from another airport of the same city."""

from typing import Any

FROM_GATWICK = {
    "airline": "RQ",
    "flight_number": "RQ993",
    "origin": "LGW",
    "destination": "DAC",
    "departure_at": "2026-12-07T12:00:00+00:00",
    "duration_minutes": 600,
    "aircraft": "789",
}


async def test_a_way_back_from_another_airport_of_the_city_is_flagged_and_one_from_another_city_is_not(
    service: Any,
) -> None:
    made = await service.admin("POST", "/v1/admin/flights", FROM_GATWICK)
    assert made.status_code == 201, made.text
    asked = {"origin": "DAC", "destination": "LON", "return_date": "2026-12-07", "max_stops": 1, "limit": 100}
    offers = await service.search(**asked)
    seen = set()
    for offer in offers:
        out, back = offer["slices"]
        assert offer["airport_change"] == (out["destination"] != back["origin"])
        seen.add((offer["airport_change"], back["origin"]))
    assert seen == {(True, "LGW"), (False, "LHR")}

    flagged = next(offer for offer in offers if offer["airport_change"])
    opened = await service.get(f"/v1/flight-offers/{flagged['id']}")
    assert opened.status_code == 200, opened.text
    assert opened.json()["airport_change"] is True
    assert opened.json()["slices"] == flagged["slices"]

    slices = [("DAC", "JED", service.day(2)), ("DXB", "DAC", service.day(6))]
    body = {"slices": [{"origin": a, "destination": b, "departure_date": day} for a, b, day in slices]}
    open_jaw = await service.client.post("/v1/flight-offers", json=body, headers=service.headers())
    assert {offer["airport_change"] for offer in open_jaw.json()["items"]} == {False}
    assert {offer["airport_change"] for offer in await service.search(origin="DAC", destination="LHR")} == {False}
