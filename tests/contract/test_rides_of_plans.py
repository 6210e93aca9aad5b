"""Rides of plans: booking-service's client against payment-service's application, and a booking that rides pay for."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from booking_service.bookings.errors import (
    SubscriptionNotActive,
    SubscriptionRidesUsedUp,
    SubscriptionRouteNotCovered,
)
from booking_service.bookings.payment_client import PromoUseRefused
from rihla.kernel import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan_of_two(platform: Any) -> str:
    """The traveller's subscription with two rides a month from Dhaka to Jeddah."""
    body = {
        "code": "JED-2", "name": "Two rides", "kind": "rides", "rides_per_period": 2, "routes": ["DAC-JED"],
        "price": {"amount": "300.00", "currency": "USD"},
    }  # fmt: skip
    admin = platform.headers("payment", roles=("admin",))
    made = await platform.payment_http.post("/v1/admin/subscription-plans", json=body, headers=admin)
    await platform.fund(30_000, "USD")
    order = {"plan_id": made.json()["id"], "method": {"type": "wallet"}}
    bought = await platform.payment_http.post("/v1/subscriptions", json=order, headers=platform.headers("payment"))
    assert (bought.status_code, bought.json()["payment"]["status"]) == (201, "succeeded"), bought.text
    return str(bought.json()["subscription"]["id"])


def question(platform: Any, plan: str, *routes: str) -> dict[str, Any]:
    """As booking-service asks (placing/drive_placing.py, `rides_question`)."""
    day = (platform.clock.now() + timedelta(days=3)).date()
    return {
        "subscription_id": plan,
        "user_id": platform.user_id,
        "segments": [
            {"flight_id": new_id(), "route": route, "cabin": "economy", "local_date": day} for route in routes
        ],
        "passenger_count": 1,
        "currency": "USD",
        "lines_minor": [45000] * len(routes),
        "expires_at": platform.clock.now() + timedelta(minutes=17),
    }


async def test_rides_are_reserved_consumed_and_given_back(platform: Any, plan_of_two: str) -> None:
    booking_id, asked = new_id(), question(platform, plan_of_two, "DAC-JED", "DAC-JED")
    for _ in range(2):
        use = await platform.payments.reserve_rides(booking_id, asked)
        assert (use.discount_minor, use.currency, use.status) == (90000, "USD", "reserved")
    with pytest.raises(SubscriptionRidesUsedUp):
        await platform.payments.reserve_rides(new_id(), question(platform, plan_of_two, "DAC-JED"))
    for _ in range(2):
        await platform.payments.consume_rides(booking_id)
    for segments in (1, 1, None):
        await platform.payments.release_rides(booking_id, segments)


async def test_what_payment_refuses_booking_understands(platform: Any, plan_of_two: str) -> None:
    with pytest.raises(SubscriptionRouteNotCovered):
        await platform.payments.reserve_rides(new_id(), question(platform, plan_of_two, "JED-DAC"))
    with pytest.raises(SubscriptionNotActive):
        await platform.payments.reserve_rides(new_id(), question(platform, str(new_id()), "DAC-JED"))
    with pytest.raises(PromoUseRefused):
        await platform.payments.consume_rides(new_id())
    booking_id = new_id()
    await platform.payments.release_rides(booking_id, None)
    with pytest.raises(SubscriptionNotActive):
        await platform.payments.reserve_rides(booking_id, question(platform, plan_of_two, "DAC-JED"))


async def test_a_booking_paid_by_rides_costs_no_fare_and_expires_with_its_rides(
    platform: Any, plan_of_two: str
) -> None:
    offer = next(one for one in await platform.offers() if len(one["slices"][0]["segments"]) == 1)
    booking = await platform.book(offer["id"], subscription_id=plan_of_two)
    full, off, total = (
        int(amount.replace(".", ""))
        for amount in (
            offer["price"]["total"]["amount"], booking["price"]["discount"]["amount"], booking["total"]["amount"],
        )
    )  # fmt: skip
    assert booking["subscription_id"] == plan_of_two
    assert off < 0 < total == full + off
    platform.clock.advance(timedelta(minutes=16))
    await platform.booking_worker.expiry.expire_due()
    await platform.booking_worker.errands.run_due()
    use = await platform.payments.reserve_rides(new_id(), question(platform, plan_of_two, "DAC-JED", "DAC-JED"))
    assert use.status == "reserved"
