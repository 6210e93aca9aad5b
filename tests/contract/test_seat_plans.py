"""Standing seats from end to end: payment-service buys a month of rides at booking-service's real application."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from flight_service.schedules.generate_flights import generate_flights
from flight_service.schedules.tables import schedule
from payment_service.subscriptions.renew import renew_due
from payment_service.subscriptions.seats import drive_seat_plans

pytestmark = pytest.mark.asyncio(loop_scope="module")
Json = dict[str, Any]
TRAVELLER = {
    "passenger": {"type": "adult", "given_name": "Amina", "surname": "Rahman", "date_of_birth": "1988-04-01"},
    "contact": {"email": "amina@example.com"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan_id(platform: Any) -> str:
    """A plan of eight rides from Dhaka to Jeddah, where flights are on sale for the months it is for."""
    db = platform.flight_app.state.container.db
    async with db.transaction() as session:
        query = select(schedule.c.id).where(schedule.c.origin == "DAC", schedule.c.destination == "JED")
        daily = (await session.execute(query)).scalars().all()
    await generate_flights(db, now=platform.clock.now(), days_ahead=64, only=daily)
    body = {
        "code": "JED-8", "name": "Eight rides", "kind": "rides", "rides_per_period": 8, "routes": ["DAC-JED"],
        "price": {"amount": "300.00", "currency": "USD"},
    }  # fmt: skip
    admin = platform.headers("payment", roles=("admin",))
    made = await platform.payment_http.post("/v1/admin/subscription-plans", json=body, headers=admin)
    return str(made.json()["id"])


async def ride(platform: Any) -> Json:
    """A weekly ride on a flight there is: the one in three days."""
    offer = next(one for one in await platform.offers() if len(one["slices"][0]["segments"]) == 1)
    departs = offer["slices"][0]["segments"][0]["departure_at"]
    weekday = (platform.clock.now() + timedelta(days=3)).isoweekday()
    return {"weekday": weekday, "departure_time": departs[11:16], "route": "DAC-JED"}


async def buy(platform: Any, plan_id: str, rides: list[Json]) -> Any:
    body = {"plan_id": plan_id, "rides": rides, "traveller": TRAVELLER, "method": {"type": "wallet"}}
    return await platform.payment_http.post("/v1/subscriptions", json=body, headers=platform.headers("payment"))


async def bookings(platform: Any) -> list[Json]:
    answer = await platform.booking_http.get(
        "/v1/bookings", params={"limit": 100}, headers=platform.headers("booking", key=False)
    )
    return list(answer.json()["items"])


async def used(platform: Any) -> list[int]:
    pool = await platform.payment_app.state.container.db.asyncpg_pool()
    rows = await pool.fetch("SELECT rides_used FROM subscription_period WHERE status = 'paid' ORDER BY starts_on")
    return [row["rides_used"] for row in rows]


async def test_rides_nobody_flies_are_told_and_nothing_is_taken(platform: Any, plan_id: str) -> None:
    await platform.fund(60_000, "USD")
    never = {**await ride(platform), "departure_time": "03:33"}
    answer = await buy(platform, plan_id, [never])
    assert (answer.status_code, answer.json()["code"]) == (409, "seat-plan-not-possible"), answer.text
    assert {one["reason"] for one in answer.json()["missing"]} == {"no-flight"}


async def test_a_month_is_bought_ridden_renewed_and_paused(platform: Any, plan_id: str) -> None:
    answer = await buy(platform, plan_id, [await ride(platform)])
    assert answer.status_code == 201, answer.text
    assert answer.json()["subscription"]["status"] == "active"
    ridden = await bookings(platform)
    assert len(ridden) >= 4
    assert {one["status"] for one in ridden} == {"confirmed"}
    assert {one["total"]["amount"] for one in ridden} == {"0.00"}
    assert await used(platform) == [len(ridden)]

    subscription = answer.json()["subscription"]
    container = platform.payment_app.state.container
    platform.clock.advance(timedelta(days=24))
    await renew_due(container.till, container.seats, grace_days=7)
    assert len(await bookings(platform)) > len(ridden)
    [_, later] = await used(platform)
    assert later >= 4

    path = f"/v1/subscriptions/{subscription['id']}/pause"
    await platform.payment_http.post(path, headers=platform.headers("payment"))
    while await drive_seat_plans(container.seats):
        pass
    assert (await used(platform))[1] == 0
