"""Rides that pay for bookings: limits that hold under concurrency, each step repeated without harm."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from payment_service.subscriptions.use_rides import release_expired_rides
from rihla.kernel import new_id

Stack = Any
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "737"}


async def subscribed(stack: Stack, user_id: UUID, **changes: Any) -> str:
    """A subscription of eight rides from 1 December to 1 January."""
    body = {
        "code": "COAST-8", "name": "Eight rides", "kind": "rides", "rides_per_period": 8, "routes": ["DAC-CXB"],
        "price": {"amount": "320.00", "currency": "USD"}, **changes,
    }  # fmt: skip
    admin = stack.person(new_id(), roles=("admin",))
    plan = (await stack.client.post("/v1/admin/subscription-plans", json=body, headers=admin)).json()
    order = {"plan_id": plan["id"], "method": {"type": "card", "provider": "sandbox", "card": CARD}}
    bought = await stack.client.post("/v1/subscriptions", json=order, headers=stack.person(user_id))
    assert bought.status_code == 201, bought.text
    return str(bought.json()["subscription"]["id"])


def segment(day: int = 20, route: str = "DAC-CXB", cabin: str = "economy") -> dict[str, Any]:
    return {"flight_id": str(UUID(int=day)), "route": route, "cabin": cabin, "local_date": f"2026-12-{day:02}"}


async def put(stack: Stack, user_id: UUID, plan: str, booking_id: UUID | None = None, /, **changes: Any) -> Any:
    segments = changes.get("segments", [segment()])
    body = {
        "subscription_id": plan, "user_id": str(user_id), "segments": segments, "passenger_count": 1,
        "currency": "USD", "lines_minor": [4500] * len(segments), "expires_at": "2026-12-01T08:17:00Z", **changes,
    }  # fmt: skip
    path = f"/internal/v1/subscription-uses/{booking_id or new_id()}"
    return await stack.client.put(path, json=body, headers=stack.service())


async def act(stack: Stack, booking_id: UUID, step: str, segments: int | None = None) -> Any:
    body = {"segments": segments} if step == "release" else {}
    path = f"/internal/v1/subscription-uses/{booking_id}/{step}"
    return await stack.client.post(path, json=body, headers=stack.service())


async def used(stack: Stack) -> int:
    [row] = await stack.sql("SELECT rides_used FROM subscription_period")
    return int(row["rides_used"])


async def test_rides_are_taken_once_for_a_booking_and_take_its_fares_off(stack: Stack, user_id: UUID) -> None:
    plan, booking_id = await subscribed(stack, user_id), new_id()
    both = [segment(20), segment(21)]
    first, again = [await put(stack, user_id, plan, booking_id, segments=both) for _ in range(2)]
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert (first.json()["rides"], first.json()["discount_minor"], first.json()["status"]) == (2, 9000, "reserved")
    assert await used(stack) == 2
    later = await put(stack, user_id, plan, booking_id, segments=both, expires_at="2026-12-01T09:00:00Z")
    assert later.status_code == 200
    other = await put(stack, user_id, plan, booking_id)
    assert (other.status_code, other.json()["code"]) == (422, "subscription-use-differs")


async def test_a_discount_plan_takes_its_percentage_off_and_counts_nothing(stack: Stack, user_id: UUID) -> None:
    percent = {"kind": "discount", "rides_per_period": None, "discount_basis_points": 1500, "routes": []}
    plan = await subscribed(stack, user_id, **percent)
    answer = (
        await put(stack, user_id, plan, segments=[segment(), segment(22, "CXB-DAC")], lines_minor=[999, 1])
    ).json()
    assert (answer["rides"], answer["discount_minor"]) == (0, 149)
    assert await used(stack) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"segments": [segment(route="DAC-JED")]}, "subscription-route-not-covered"),
        ({"segments": [segment(cabin="business")]}, "subscription-route-not-covered"),
        ({"segments": [segment() | {"local_date": "2027-01-01"}]}, "subscription-not-active"),
        ({"segments": [segment(), segment() | {"local_date": "2027-01-02"}]}, "subscription-not-active"),
        ({"user_id": str(UUID(int=1))}, "subscription-not-active"),
        ({"subscription_id": str(UUID(int=1))}, "subscription-not-active"),
        ({"segments": [segment()] * 9}, "subscription-rides-used-up"),
    ],
)
async def test_what_a_plan_does_not_cover_is_refused(
    stack: Stack, user_id: UUID, changes: dict[str, Any], code: str
) -> None:
    plan = await subscribed(stack, user_id)
    booking_id = new_id()
    answer = await put(stack, user_id, plan, booking_id, **changes)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert await used(stack) == 0
    assert (await put(stack, user_id, plan, booking_id)).status_code == 200


async def test_a_fare_for_each_segment_is_asked_for(stack: Stack, user_id: UUID) -> None:
    plan = await subscribed(stack, user_id)
    for lines in ([], [1, 2], [-1]):
        assert (await put(stack, user_id, plan, lines_minor=lines)).status_code == 422


async def test_only_booking_may_take_rides(stack: Stack, user_id: UUID) -> None:
    path = f"/internal/v1/subscription-uses/{new_id()}/consume"
    assert (await stack.client.post(path, json={}, headers=stack.person(user_id))).status_code == 403
    assert (await stack.client.post(path, json={}, headers=stack.service("chat"))).status_code == 403


async def test_twenty_racing_bookings_get_exactly_the_eight_rides_there_are(stack: Stack, user_id: UUID) -> None:
    plan = await subscribed(stack, user_id)
    answers = await asyncio.gather(*(put(stack, user_id, plan) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [409] * 12
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"subscription-rides-used-up"}
    assert await used(stack) == 8


async def test_twins_of_one_request_take_its_rides_once(stack: Stack, user_id: UUID) -> None:
    plan, booking_id = await subscribed(stack, user_id), new_id()
    answers = await asyncio.gather(*(put(stack, user_id, plan, booking_id) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert await used(stack) == 1


async def test_the_same_race_without_its_guard_gives_more_than_there_are(
    stack: Stack, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the counter's condition and its constraint are all that holds the limit."""
    plan = await subscribed(stack, user_id, rides_per_period=1)
    await stack.sql("ALTER TABLE subscription_period DROP CONSTRAINT ck_subscription_period_rides_within_plan")
    barrier = asyncio.Barrier(5)

    async def unguarded(session: Any, period_id: UUID, rides: int) -> bool:
        row = await session.execute(text("SELECT rides_used, rides FROM subscription_period"))
        rides_used, limit = row.one()
        await barrier.wait()
        if rides_used + rides > limit:
            return False
        await session.execute(text("UPDATE subscription_period SET rides_used = :n"), {"n": rides_used + rides})
        return True

    monkeypatch.setattr("payment_service.subscriptions.use_store.count_rides", unguarded)
    answers = await asyncio.gather(*(put(stack, user_id, plan) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5


async def test_the_database_itself_refuses_a_ride_too_many(stack: Stack, user_id: UUID) -> None:
    await subscribed(stack, user_id)
    with pytest.raises(Exception, match="rides_within_plan"):
        await stack.sql("UPDATE subscription_period SET rides_used = 9")


async def test_segments_come_back_in_any_order_and_any_number_of_times(stack: Stack, user_id: UUID) -> None:
    plan, booking_id = await subscribed(stack, user_id), new_id()
    await put(stack, user_id, plan, booking_id, segments=[segment(20), segment(21), segment(22)])
    for _ in range(2):
        assert (await act(stack, booking_id, "consume")).json()["status"] == "consumed"
    for total, left in ((1, 2), (1, 2), (2, 1), (1, 1), (0, 1), (9, 0), (None, 0)):
        answer = await act(stack, booking_id, "release", total)
        assert answer.status_code == 200
        assert await used(stack) == left
    assert answer.json()["status"] == "given_back"
    assert (await act(stack, booking_id, "consume")).json()["status"] == "given_back"
    assert await used(stack) == 0


async def test_a_release_that_comes_first_leaves_a_tombstone(stack: Stack, user_id: UUID) -> None:
    plan, booking_id = await subscribed(stack, user_id), new_id()
    assert (await act(stack, booking_id, "release")).json()["status"] == "given_back"
    late = await put(stack, user_id, plan, booking_id)
    assert (late.status_code, late.json()["code"]) == (409, "subscription-not-active")
    assert (await act(stack, booking_id, "consume")).status_code == 404
    assert await used(stack) == 0


async def test_a_reservation_falls_after_its_hold_and_a_late_payment_takes_it_again(
    stack: Stack, user_id: UUID
) -> None:
    plan, booking_id = await subscribed(stack, user_id), new_id()
    await put(stack, user_id, plan, booking_id)
    assert await release_expired_rides(stack.container.db, stack.clock) == 0
    stack.clock.advance(timedelta(minutes=33))
    assert await release_expired_rides(stack.container.db, stack.clock) == 1
    assert await used(stack) == 0
    assert (await act(stack, booking_id, "consume")).json()["status"] == "consumed"
    assert await used(stack) == 1
    await act(stack, booking_id, "release")
    assert await used(stack) == 0
