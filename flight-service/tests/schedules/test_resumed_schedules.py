"""A schedule whose first request stopped half way is brought to its end by the repeat."""

from typing import Any

import pytest

from flight_service.schedules import keep_schedules
from rihla.web.idempotency import DEFAULT_LEASE

SCHEDULE = {
    "airline": "RQ",
    "flight_number": "RQ906",
    "origin": "DAC",
    "destination": "JED",
    "days_of_week": ["monday", "friday"],
    "departure_time": "16:15",
    "duration_minutes": 400,
    "valid_from": "2026-12-02",
    "valid_until": "2026-12-20",
    "aircraft": "32N",
    "fares": {"economy": "199.00"},
}
SCHEDULES = "/v1/admin/schedules"


class MachineStops(BaseException):
    """What a process that is gone feels like from inside: nothing after this line runs, no handler answers."""


async def _stop(*_: Any, **__: Any) -> None:
    raise MachineStops


async def _send_and_stop(service: Any, monkeypatch: pytest.MonkeyPatch, *request: Any, **more: Any) -> None:
    """The request, by a process that stops after its first transaction, before it creates flights."""
    with monkeypatch.context() as patched:
        patched.setattr(keep_schedules, "generate_flights", _stop)
        with pytest.raises(BaseException) as stopped:  # noqa: PT011 - the layers between may wrap it in a group
            await service.client.request(*request, **more)
    assert "MachineStops" in repr(stopped.value)


async def _days(service: Any, number: str = "RQ906") -> list[str]:
    rows = await service.sql(
        "SELECT local_date, departure_at FROM flight WHERE flight_number = $1 ORDER BY local_date", number
    )
    return [row["local_date"].strftime("%a %d") for row in rows]


async def test_a_repeat_after_a_crash_finishes_the_schedule_it_began(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = service.headers(roles=("admin",)) | {"Idempotency-Key": "begun"}
    asked = {"json": SCHEDULE, "headers": headers}
    await _send_and_stop(service, monkeypatch, "POST", SCHEDULES, **asked)
    assert await _days(service) == []

    early = await service.client.post(SCHEDULES, **asked)
    assert (early.status_code, early.json()["code"]) == (409, "request-in-progress"), "its lease still runs"
    service.clock.advance(DEFAULT_LEASE)
    other = await service.client.post(SCHEDULES, json={**SCHEDULE, "duration_minutes": 410}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")

    resumed = await service.client.post(SCHEDULES, **asked)
    assert resumed.status_code == 201, resumed.text
    (row,) = await service.sql("SELECT id FROM schedule WHERE flight_number = 'RQ906'")
    assert resumed.json()["schedule_id"] == str(row["id"]), "the schedule of the first try, not another"
    assert resumed.json()["created"] == len(await _days(service)) == 5
    audit = (await service.admin("GET", f"/v1/admin/audit/schedule/{row['id']}")).json()["items"]
    assert [entry["action"] for entry in audit] == ["create"]
    again = await service.client.post(SCHEDULES, **asked)
    assert (again.content, again.headers["idempotency-replayed"]) == (resumed.content, "true")


async def test_a_change_of_a_schedule_that_stopped_half_way_is_repeated_to_its_end(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PUT needs no key: it says how the schedule shall be, and the second one adds only what is missing."""
    made = (await service.admin("POST", SCHEDULES, SCHEDULE)).json()
    path = f"{SCHEDULES}/{made['schedule_id']}"
    more = {**SCHEDULE, "days_of_week": ["monday", "wednesday"], "departure_time": "18:00"}
    asked = {"json": more, "headers": service.headers(roles=("admin",))}
    await _send_and_stop(service, monkeypatch, "PUT", path, **asked)
    assert await _days(service) == ["Mon 07", "Mon 14"], "the new days are not there yet"

    repeated = await service.client.put(path, **asked)
    assert repeated.status_code == 200, repeated.text
    days = ["Wed 02", "Mon 07", "Wed 09", "Mon 14", "Wed 16"]
    assert (repeated.json()["created"], await _days(service)) == (3, days)
    once_more = await service.client.put(path, **asked)
    assert (once_more.json()["created"], once_more.json()["removed"], await _days(service)) == (0, 0, days)
