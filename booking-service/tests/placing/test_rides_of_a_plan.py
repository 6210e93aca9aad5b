"""Bookings that rides of a plan pay for: reserved after the hold, used on confirmation, given back when it ends."""

from datetime import timedelta
from typing import Any

import pytest

from rihla.kernel import new_id


def _return(house: Any) -> Any:
    return house.flight.add_offer([house.flight.add_flight()], [house.flight.add_flight("JED", "DAC", days=40)])


@pytest.fixture
def plan(house: Any) -> str:
    """A plan with ten rides left."""
    plan = str(new_id())
    house.payment.plans[plan] = 10
    return plan


async def test_rides_take_the_fare_off_and_are_used_up_by_the_confirmation(house: Any, plan: str) -> None:
    full = await house.place(house.body(_return(house)))
    assert (full["price"]["discount"]["amount"], full["subscription_id"]) == ("0.00", None)
    booking = await house.place(house.body(_return(house), subscription_id=plan))
    assert booking["price"]["discount"]["amount"] == "-900.00"  # two segments, 450.00 of fare each; taxes stay
    assert {line["code"] for line in booking["price"]["lines"] if line["kind"] == "discount"} == {"RIDES"}
    assert booking["subscription_id"] == plan
    assert house.payment.ride_uses[booking["id"]]["status"] == "reserved"
    await house.pay(booking)
    await house.worker.errands.run_due()
    assert house.payment.ride_uses[booking["id"]]["status"] == "consumed"
    assert house.payment.plans[plan] == 8


async def test_a_booking_that_expires_gives_its_rides_back(house: Any, plan: str) -> None:
    await house.place(house.body(subscription_id=plan))
    assert house.payment.plans[plan] == 9
    house.clock.advance(timedelta(minutes=15))
    await house.worker.expiry.expire_due()
    await house.worker.errands.run_due()
    assert house.payment.plans[plan] == 10


async def test_cancelling_one_way_and_then_the_other_gives_back_one_ride_each(house: Any, plan: str) -> None:
    booking = await house.confirmed(house.body(_return(house), subscription_id=plan))
    one_way = {"scope": "part", "slice_ids": [booking["slices"][1]["id"]]}
    for left, part in ((9, one_way), (10, {"scope": "all"})):
        path = f"/v1/bookings/{booking['id']}"
        quote = (await house.post(f"{path}/cancellation-quotes", part)).json()
        answer = await house.post(f"{path}/cancellations", {"quote_id": quote["id"]})
        assert answer.is_success
        await house.worker.errands.run_due()
        assert house.payment.plans[plan] == left


async def test_a_refused_plan_is_told_and_releases_the_hold(house: Any, plan: str) -> None:
    house.payment.plans[plan] = 0
    for wanted, code in ((plan, "subscription-rides-used-up"), (str(new_id()), "subscription-not-active")):
        answer = await house.post("/v1/bookings", house.body(subscription_id=wanted))
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    await house.worker.errands.run_due()
    assert {hold.status for hold in house.flight.holds.values()} == {"released"}
    assert house.payment.plans[plan] == 0


async def test_an_answer_lost_on_the_way_takes_the_rides_once(house: Any, plan: str) -> None:
    body = house.body(subscription_id=plan)
    house.payment.wire.lose_answers_of = "subscription-uses"
    assert (await house.post("/v1/bookings", body, key="k1")).status_code == 503
    house.payment.wire.lose_answers_of = ""
    assert (await house.post("/v1/bookings", body, key="k1")).status_code == 201
    assert house.payment.plans[plan] == 9


async def test_rides_pay_for_one_passenger_without_a_promo_code_and_are_not_quoted(
    house: Any, traveller: Any, plan: str
) -> None:
    party = house.body(None, traveller(), traveller(), subscription_id=plan, promo_code="SPRING")
    answer = await house.post("/v1/bookings", party)
    assert answer.status_code == 422
    assert {one["code"] for one in answer.json()["errors"]} == {"plan-for-one-passenger", "promo-code-with-plan"}
    quote = await house.post("/v1/booking-quotes", house.body(subscription_id=plan))
    assert (quote.status_code, quote.json()["errors"][0]["code"]) == (422, "plan-not-quoted")
