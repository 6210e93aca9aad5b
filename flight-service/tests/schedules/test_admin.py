"""Administrators operate schedules and flights; events and audit rows come with the change."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from flight_service.schedules.archive_flights import archive_flights
from flight_service.schedules.generate_flights import generate_flights

SCHEDULE = {
    "airline": "RQ",
    "flight_number": "RQ901",
    "origin": "DAC",
    "destination": "JED",
    "days_of_week": ["monday", "wednesday", "friday"],
    "departure_time": "16:15",
    "duration_minutes": 400,
    "valid_from": "2026-12-01",
    "valid_until": "2026-12-20",
    "aircraft": "32N",
    "fares": {"economy": "199.00", "business": "650.00"},
}


async def _flights(service: Any, schedule_id: str) -> list[Any]:
    return list(await service.sql("SELECT * FROM flight WHERE schedule_id = $1 ORDER BY local_date", schedule_id))


async def test_every_happening_is_one_event_in_order(service: Any) -> None:
    (offer, *_) = await service.search(origin="DAC", destination="JED", max_stops=0)
    flight = offer["slices"][0]["segments"][0]["flight_id"]
    for change in (
        {"gate": "A1"},
        {"delay_minutes": 30, "gate": "A2"},
        {"departure_at": "2026-12-04T23:00:00+06:00"},
        {"status": "cancelled", "reason": "Fog"},
    ):
        answer = await service.admin("PATCH", f"/v1/admin/flights/{flight}", change)
        assert answer.status_code == 200, answer.text
    rows = await service.sql("SELECT type, sequence FROM outbox WHERE aggregate_id = $1 ORDER BY position", flight)
    assert [tuple(row) for row in rows] == [
        ("flight.gate_changed.v1", 1),
        ("flight.delayed.v1", 2),
        ("flight.gate_changed.v1", 3),
        ("flight.retimed.v1", 4),
        ("flight.cancelled.v1", 5),
    ]
    shown = (await service.get(f"/v1/flights/{flight}")).json()
    assert shown["status"] == "cancelled"
    assert len(shown["timeline"]) == 5
    audit = (await service.admin("GET", f"/v1/admin/audit/flight/{flight}")).json()["items"]
    assert len(audit) == 4
    refused = await service.admin("PATCH", f"/v1/admin/flights/{flight}", {"status": "scheduled"})
    assert (refused.status_code, refused.json()["code"]) == (409, "operation-refused")


async def test_only_admins_operate(service: Any) -> None:
    flight = "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11"
    answer = await service.client.patch(f"/v1/admin/flights/{flight}", json={"gate": "A1"}, headers=service.headers())
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await service.client.patch(f"/v1/admin/flights/{flight}", json={})).status_code == 401
    assert (await service.admin("PATCH", f"/v1/admin/flights/{flight}", {"gate": "A1"})).status_code == 404


async def test_a_schedule_sells_at_once_and_follows_a_change_but_for_sold_flights(service: Any) -> None:
    made = await service.admin("POST", "/v1/admin/schedules", SCHEDULE)
    assert made.status_code == 201, made.text
    schedule_id = made.json()["schedule_id"]
    flights = await _flights(service, schedule_id)
    assert len(flights) == made.json()["created"] == 8
    found = await service.search(origin="DAC", destination="JED", flight_number="RQ901", max_stops=0)
    assert [offer["slices"][0]["segments"][0]["flight_number"] for offer in found] == ["RQ901"]
    sold = flights[0]["id"]
    await service.sql(
        "UPDATE cabin_inventory SET free_seats = free_seats - 1, sold_seats = 1 "
        "WHERE flight_id = $1 AND cabin = 'economy'",
        sold,
    )
    again = await service.admin("POST", "/v1/admin/schedules", SCHEDULE)
    assert (again.status_code, again.json()["code"]) == (409, "already-exists")
    moved = {**SCHEDULE, "departure_time": "18:00", "days_of_week": ["monday", "friday"], "aircraft": "789"}
    changed = (await service.admin("PUT", f"/v1/admin/schedules/{schedule_id}", moved)).json()
    assert [flight["id"] for flight in changed["sold_flights"]] == [str(sold)]
    after = {row["id"]: row for row in await _flights(service, schedule_id)}
    assert after[sold]["departure_at"] == flights[0]["departure_at"]
    assert all(row["aircraft"] == "789" for flight_id, row in after.items() if flight_id != sold)
    assert all(row["local_date"].weekday() in (0, 4) for flight_id, row in after.items() if flight_id != sold)
    ended = (await service.admin("DELETE", f"/v1/admin/schedules/{schedule_id}")).json()
    assert ended["removed"] == len(after) - 1
    assert [row["id"] for row in await _flights(service, schedule_id)] == [sold]


async def test_a_schedule_with_mistakes_is_refused_whole(service: Any) -> None:
    wrong = {**SCHEDULE, "origin": "QQQ", "airline": "Q9", "aircraft": "A99"}
    answer = await service.admin("POST", "/v1/admin/schedules", wrong)
    assert answer.status_code == 422
    codes = {error["code"] for error in answer.json()["errors"]}
    assert codes == {"unknown-place", "unknown-airline", "wrong-airline", "unknown-aircraft"}
    lacking = await service.admin("POST", "/v1/admin/schedules", {**SCHEDULE, "fares": {"first": "900.00"}})
    assert (lacking.status_code, lacking.json()["errors"][0]["code"]) == (422, "cabin-not-on-aircraft")


async def test_two_machines_that_generate_at_once_make_each_flight_once(service: Any) -> None:
    db = service.app.state.container.db
    await service.sql("DELETE FROM flight WHERE local_date >= $1", (service.clock.now() + timedelta(days=8)).date())
    made = await asyncio.gather(*[generate_flights(db, now=service.clock.now(), days_ahead=10) for _ in range(2)])
    assert sum(run.flights for run in made) > 0
    twice = await service.sql("SELECT schedule_id, local_date FROM flight GROUP BY 1, 2 HAVING count(*) > 1")
    assert twice == []
    assert (await generate_flights(db, now=service.clock.now(), days_ahead=10)).flights == 0


async def test_past_flights_move_to_history_and_nothing_is_lost(service: Any) -> None:
    db = service.app.state.container.db
    before = (await service.sql("SELECT count(*) AS n FROM flight"))[0]["n"]
    moved = await archive_flights(db, now=service.clock.now() + timedelta(days=5), older_than=timedelta(days=1))
    left = (await service.sql("SELECT count(*) AS n FROM flight"))[0]["n"]
    kept = (await service.sql("SELECT count(*) AS n FROM flight_history WHERE document ? 'cabins'"))[0]["n"]
    assert moved == kept == before - left > 0


async def test_fares_of_a_schedule_reach_all_its_flights(service: Any) -> None:
    fares = (await service.admin("GET", "/v1/admin/fares?origin=DAC&destination=JED&airline=RQ")).json()["items"]
    schedule_id = fares[0]["schedule_id"]
    changed = await service.admin("PUT", f"/v1/admin/fares/{schedule_id}", {"fares": {"economy": "123.00"}})
    assert changed.status_code == 200, changed.text
    rows = await _flights(service, schedule_id)
    future = [row for row in rows if row["departure_at"] > service.clock.now()]
    assert changed.json()["flights"] == len(future) > 0
    assert all(row["base_fares"][0] == 12_300 and row["offer_version"] == 2 for row in future)
    history = await service.sql(
        "SELECT DISTINCT base_minor FROM price_history WHERE reason = 'fare' AND cabin = 'economy'"
    )
    assert [row["base_minor"] for row in history] == [12_300]


async def test_a_flight_of_its_own_can_be_added_and_taken_off(service: Any) -> None:
    body = {
        "airline": "RQ",
        "flight_number": "RQ990",
        "origin": "DAC",
        "destination": "CGP",
        "departure_at": "2026-12-05T12:00:00+06:00",
        "duration_minutes": 50,
        "aircraft": "AT7",
    }
    made = await service.admin("POST", "/v1/admin/flights", body)
    assert made.status_code == 201, made.text
    assert (await service.admin("POST", "/v1/admin/flights", body)).status_code == 409
    asked = {"origin": "DAC", "destination": "CGP", "departure_date": "2026-12-05", "flight_number": "RQ990"}
    assert len(await service.search(**asked)) == 1
    assert (await service.admin("DELETE", f"/v1/admin/flights/{made.json()['id']}")).status_code == 204
    assert await service.search(**asked) == []


async def test_a_flash_sale_lowers_the_price_while_it_runs(service: Any) -> None:
    (offer, *_) = await service.search(origin="DAC", destination="JED", max_stops=0, sort="price")
    flight = offer["slices"][0]["segments"][0]["flight_id"]
    sale = {
        "flight_id": flight,
        "cabin": "economy",
        "percent_off": 40,
        "stock": 3,
        "starts_at": "2026-12-01T07:00:00Z",
        "ends_at": "2026-12-02T07:00:00Z",
    }
    made = await service.admin("POST", "/v1/admin/flash-sales", sale)
    assert made.status_code == 201, made.text
    (cheaper, *_) = await service.search(origin="DAC", destination="JED", max_stops=0, sort="price")
    assert cheaper["slices"][0]["segments"][0]["flight_id"] == flight
    assert float(cheaper["price"]["base"]["amount"]) < float(offer["price"]["base"]["amount"]) * 0.7
    detail = (await service.get(f"/v1/flight-offers/{cheaper['id']}")).json()
    assert "FLASH" in {line["code"] for entry in detail["breakdown"] for line in entry["lines"]}
    assert (await service.admin("DELETE", f"/v1/admin/flash-sales/{made.json()['id']}")).status_code == 204
    answer = await service.get(f"/v1/flight-offers/{cheaper['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")


async def test_a_flash_sale_sent_twice_under_one_key_starts_once(service: Any) -> None:
    (offer, *_) = await service.search(origin="DAC", destination="JED", max_stops=0)
    sale = {
        "flight_id": offer["slices"][0]["segments"][0]["flight_id"],
        "cabin": "economy",
        "percent_off": 40,
        "stock": 3,
        "starts_at": "2026-12-01T07:00:00Z",
        "ends_at": "2026-12-02T07:00:00Z",
    }
    headers = service.headers(roles=("admin",)) | {"Idempotency-Key": "sale-1"}
    path = "/v1/admin/flash-sales"
    first, second = [await service.client.post(path, json=sale, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201), first.text
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    other = await service.client.post(path, json={**sale, "stock": 4}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert [row["n"] for row in await service.sql("SELECT count(*) AS n FROM flash_sale")] == [1]
    assert (await service.admin("POST", path, sale)).status_code == 201, "without a key each request is new"


FLIGHT = {
    "airline": "RQ",
    "flight_number": "RQ991",
    "origin": "DAC",
    "destination": "CGP",
    "departure_at": "2026-12-06T12:00:00+06:00",
    "duration_minutes": 50,
    "aircraft": "AT7",
}


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/v1/admin/schedules", {**SCHEDULE, "flight_number": "RQ902"}, {"duration_minutes": 420}),
        ("/v1/admin/flights", FLIGHT, {"duration_minutes": 55}),
    ],
)
async def test_a_schedule_or_flight_sent_twice_under_one_key_is_made_once(
    service: Any, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    headers = service.headers(roles=("admin",)) | {"Idempotency-Key": "made-once"}
    first, second = [await service.client.post(path, json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201), second.text
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    number = body["flight_number"]
    made = await service.sql("SELECT local_date FROM flight WHERE flight_number = $1", number)
    assert len(made) == len({row["local_date"] for row in made}) == first.json().get("created", 1)
    changed = await service.client.post(path, json={**body, **other}, headers=headers)
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency-key-reused")
    without_key = await service.admin("POST", path, body)
    assert (without_key.status_code, without_key.json()["code"]) == (409, "already-exists")


async def test_a_flight_with_a_held_or_sold_seat_is_never_taken_off(service: Any) -> None:
    (row,) = await service.sql(
        "SELECT id FROM flight WHERE airline = 'RQ' AND departure_at > $1 LIMIT 1", _later(service)
    )
    await service.sql(
        "UPDATE cabin_inventory SET free_seats = free_seats - 1, sold_seats = 1 "
        "WHERE flight_id = $1 AND cabin = 'economy'",
        row["id"],
    )
    refused = await service.admin("DELETE", f"/v1/admin/flights/{row['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "in-use")
    (kept,) = await service.sql("SELECT status FROM flight WHERE id = $1", row["id"])
    assert kept["status"] == "scheduled"


def _later(service: Any) -> Any:
    return service.clock.now() + timedelta(days=2)
