"""An airplane flies one flight at a time, the time to turn it round included."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

FLIGHT = {"airline": "RQ", "origin": "DAC", "destination": "CGP", "duration_minutes": 50, "aircraft": "AT7"}


async def _flight(service: Any, number: str, clock: str, **change: Any) -> str:
    body = {**FLIGHT, "flight_number": number, "departure_at": f"2026-12-05T{clock}:00+06:00", **change}
    made = await service.admin("POST", "/v1/admin/flights", body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def _assign(service: Any, flight: str, registration: str = "S2-AKA") -> Any:
    return await service.admin("PUT", f"/v1/admin/flights/{flight}/airplane", {"registration": registration})


async def test_an_airplane_is_not_on_two_flights_at_once_nor_before_it_is_turned_round(service: Any) -> None:
    noon, overlapping, too_soon, later = [
        await _flight(service, f"RQ98{n}", clock) for n, clock in enumerate(("12:00", "12:30", "13:30", "13:35"))
    ]
    assigned = await _assign(service, noon)
    assert assigned.status_code == 200, assigned.text
    assert assigned.json()["busy_until"] == "2026-12-05T07:35:00Z"
    for flight in (overlapping, too_soon):
        refused = await _assign(service, flight, "s2-aka")
        assert (refused.status_code, refused.json()["code"]) == (409, "airplane-busy")
        assert refused.json()["flight_id"] == noon
    assert (await _assign(service, later)).status_code == 200
    assert (await _assign(service, overlapping, "S2-AKB")).status_code == 200
    assert (await _assign(service, noon)).status_code == 200, "the same again"
    assert (await service.admin("DELETE", f"/v1/admin/flights/{noon}/airplane")).status_code == 204
    gone = await service.admin("GET", f"/v1/admin/flights/{noon}/airplane")
    assert (gone.status_code, gone.json()["code"]) == (404, "not-found")


async def test_a_moved_flight_takes_its_airplane_along_or_is_refused_and_a_cancelled_one_frees_it(service: Any) -> None:
    first, second = await _flight(service, "RQ980", "12:00"), await _flight(service, "RQ981", "15:00")
    for flight in (first, second):
        assert (await _assign(service, flight)).status_code == 200
    path = f"/v1/admin/flights/{first}"
    refused = await service.admin("PATCH", path, {"departure_at": "2026-12-05T14:30:00+06:00"})
    assert (refused.status_code, refused.json()["code"]) == (409, "airplane-busy")
    assert (await service.get(f"/v1/flights/{first}")).json()["departure_at"] == "2026-12-05T12:00:00+06:00"
    moved = await service.admin("PATCH", path, {"departure_at": "2026-12-05T17:00:00+06:00"})
    assert moved.status_code == 200, moved.text
    assert (await service.admin("GET", f"{path}/airplane")).json()["busy_from"] == "2026-12-05T11:00:00Z"
    assert (await service.admin("PATCH", path, {"status": "cancelled"})).status_code == 200
    assert (await service.admin("GET", f"{path}/airplane")).status_code == 404
    assert (await _assign(service, first)).json()["code"] == "operation-refused"


async def test_a_registration_is_of_one_type(service: Any) -> None:
    small = await _flight(service, "RQ980", "12:00")
    large = await _flight(service, "RQ981", "18:00", aircraft="32N")
    assert (await _assign(service, small)).status_code == 200
    refused = await _assign(service, large)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "wrong-type")


async def test_a_changed_schedule_frees_the_airplanes_of_the_flights_it_moves(service: Any) -> None:
    (row,) = await service.sql(
        "SELECT f.id, s.id AS schedule FROM flight f JOIN schedule s ON s.id = f.schedule_id "
        "WHERE f.airline = 'RQ' AND f.departure_at > $1 ORDER BY f.departure_at, f.id LIMIT 1",
        service.clock.now() + timedelta(days=2),
    )
    assert (await _assign(service, str(row["id"]))).status_code == 200
    body = (await service.admin("GET", f"/v1/admin/schedules/{row['schedule']}")).json()
    kept = {name: value for name, value in body.items() if name not in ("id", "active", "version", "fares")}
    changed = await service.admin("PUT", f"/v1/admin/schedules/{row['schedule']}", {**kept, "departure_time": "03:33"})
    assert changed.status_code == 200, changed.text
    assert (await service.admin("GET", f"/v1/admin/flights/{row['id']}/airplane")).status_code == 404


@pytest.mark.parametrize("guarded", [True, False])
async def test_two_administrators_at_the_same_moment_do_not_take_one_airplane_twice(
    service: Any, guarded: bool
) -> None:
    """Control: without the constraint the look before is not enough."""
    flights = [await _flight(service, f"RQ98{n}", f"12:{n}0") for n in range(6)]
    if not guarded:
        await service.sql("ALTER TABLE airplane_assignment DROP CONSTRAINT ex_airplane_assignment_one_flight_at_a_time")
    taken = 0
    for attempt in range(20):
        answers = await asyncio.gather(*[_assign(service, flight, f"S2-A{attempt:02d}") for flight in flights])
        assert {answer.status_code for answer in answers} <= {200, 409}
        taken = max(taken, sum(answer.status_code == 200 for answer in answers))
        await service.sql("DELETE FROM airplane_assignment")
        if not guarded and taken > 1:
            break
    assert taken == 1 if guarded else taken > 1
