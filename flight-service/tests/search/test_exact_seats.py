"""Free seats are those of this moment."""

from typing import Any


def _flights(offer: dict[str, Any]) -> list[str]:
    return [segment["flight_id"] for part in offer["slices"] for segment in part["segments"]]


async def test_a_party_larger_than_the_free_seats_finds_nothing(service: Any) -> None:
    (offer, *_) = await service.search(origin="DAC", destination="JED", max_stops=0, cabin="business", limit=1)
    flight = _flights(offer)[0]
    await service.sql(
        "UPDATE cabin_inventory SET free_seats = 1, sold_seats = capacity - 1 "
        "WHERE flight_id = $1 AND cabin = 'business'",
        flight,
    )
    two = await service.search(origin="DAC", destination="JED", max_stops=0, cabin="business", adults=2, limit=100)
    assert flight not in {f for o in two for f in _flights(o)}
    one = await service.search(origin="DAC", destination="JED", max_stops=0, cabin="business", limit=100)
    seats = {s["flight_id"]: s["free_seats"] for o in one for p in o["slices"] for s in p["segments"]}
    assert seats[flight] == 1
