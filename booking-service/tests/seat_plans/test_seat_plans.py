"""A period's rides as one command: all are held and sold, or none is."""

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from booking_service.seat_plans.plan import Departure, Ride, nearest
from rihla.contracts.events import UserDeletedV1
from rihla.kernel import new_id


async def test_a_plan_holds_every_ride_at_no_price_and_becomes_tickets_when_it_is_paid(house: Any, plans: Any) -> None:
    out, back = plans.flights()
    plan = await plans.held()
    assert (plan["status"], [one["route"] for one in plan["bookings"]]) == ("held", ["DAC-CXB", "CXB-DAC"])
    assert [one["flight_id"] for one in plan["bookings"]] == [out.id, back.id]
    assert [one["date"] for one in plan["bookings"]] == ["2026-12-07", "2026-12-10"]
    for one in plan["bookings"]:
        booking = await house.read(one["booking_id"])
        assert (booking["status"], booking["total"]["amount"]) == ("pending_payment", "0.00")
        assert booking["subscription_id"]
    assert await house.events("booking.created.v1") == [], "nobody is asked to pay for a ride"
    confirmed = (await plans.confirm(plan["id"])).json()
    assert confirmed["status"] == "confirmed"
    for one in confirmed["bookings"]:
        booking = await house.read(one["booking_id"])
        assert booking["status"] == "confirmed"
        assert booking["passengers"][0]["e_ticket_number"]
    assert len(await house.events("booking.confirmed.v1")) == 2
    assert len(await house.rows("SELECT 1 FROM document_job")) == 2
    await house.worker.errands.run_due()
    assert house.payment.ride_uses == {}, "payment-service makes the uses of a plan itself"


async def test_a_second_put_confirm_and_release_change_nothing(house: Any, plans: Any) -> None:
    plans.flights()
    plan_id, body = new_id(), plans.body()
    first = await plans.put(plan_id, body)
    again = await plans.put(plan_id, {**body, "traveller": None})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (await plans.confirm(plan_id)).json() == (await plans.confirm(plan_id)).json()
    assert len(await house.events("booking.confirmed.v1")) == 2
    assert (await plans.call("GET", str(plan_id))).json()["status"] == "confirmed"
    released = [(await plans.release(plan_id)).json()["status"] for _ in range(2)]
    assert released == ["released", "released"]
    assert len(await house.events("booking.cancelled.v1")) == 2
    other = await plans.put(plan_id, plans.body())
    assert (other.status_code, other.json()["code"]) == (409, "seat-plan-released")


async def test_another_plan_under_the_same_id_is_refused(plans: Any) -> None:
    plans.flights()
    plan_id = new_id()
    await plans.put(plan_id, plans.body())
    other = await plans.put(plan_id, plans.body())
    assert (other.status_code, other.json()["code"]) == (422, "seat-plan-differs")


async def test_one_ride_without_seats_or_flight_leaves_nothing_held_and_says_which(house: Any, plans: Any) -> None:
    _, back = plans.flights()
    back.free = 0
    rides = [*plans.body()["rides"], {"weekday": 2, "departure_time": "08:30", "route": "DAC-CXB"}]
    plan_id = new_id()
    answer = await plans.put(plan_id, plans.body(rides=rides))
    assert (answer.status_code, answer.json()["code"]) == (409, "seat-plan-not-possible")
    assert answer.json()["missing"] == [
        {"date": "2026-12-08", "route": "DAC-CXB", "reason": "no-flight"},
        {"date": "2026-12-10", "route": "CXB-DAC", "reason": "no-seats"},
    ]
    assert (await plans.call("GET", str(plan_id))).json()["code"] == "seat-plan-unknown"
    assert house.flight.holds == {}
    back.free = 1
    assert (await plans.put(plan_id, plans.body())).status_code == 201, "a refused plan may be asked for again"


@pytest.mark.parametrize(
    ("times", "wanted"),
    [(["07:00", "08:20", "09:00"], 1), (["07:30", "09:30"], 0), (["06:59", "10:01"], None), (["07:00"], 0)],
)
def test_a_ride_takes_the_nearest_flight_within_ninety_minutes(times: list[str], wanted: int | None) -> None:
    day = date(2026, 12, 7)
    ride = Departure(day, Ride(weekday=1, departure_time=time(8, 30), route="DAC-CXB"))
    flights = [(datetime.fromisoformat(f"{day}T{one}:00+06:00"), index) for index, one in enumerate(times)]
    assert nearest(ride, flights) == wanted


async def test_rides_that_have_left_already_are_left_out(plans: Any, house: Any) -> None:
    flight = house.flight
    flight.add_departure(date(2026, 12, 1), "08:30")  # 02:30 UTC; it is 08:00 UTC
    later = flight.add_departure(date(2026, 12, 1), "18:00")
    rides = [{"weekday": 2, "departure_time": at, "route": "DAC-CXB"} for at in ("08:30", "18:00")]
    plan = await plans.held(starts_on="2026-12-01", ends_on="2026-12-08", rides=rides)
    assert [one["flight_id"] for one in plan["bookings"]] == [later.id]


async def test_two_identical_puts_at_once_make_one_plan(house: Any, plans: Any) -> None:
    plans.flights()
    plan_id, body = new_id(), plans.body()
    answers = await asyncio.gather(*(plans.put(plan_id, body) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 200, 200, 201]
    assert len({one.text for one in answers}) == 1
    assert len(house.flight.holds) == 2
    control = await asyncio.gather(*(plans.put(new_id(), body) for _ in range(2)))
    assert [one.status_code for one in control] == [201, 201], "only the id makes them one"
    assert len(house.flight.holds) == 6


async def test_of_two_plans_for_the_last_seat_one_wins_whole_and_the_other_holds_nothing(
    house: Any, plans: Any
) -> None:
    out, back = plans.flights()
    back.free = 1
    answers = await asyncio.gather(*(plans.put(new_id(), plans.body()) for _ in range(3)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409]
    refused = [one.json()["missing"] for one in answers if one.status_code == 409]
    assert refused == [[{"date": "2026-12-10", "route": "CXB-DAC", "reason": "no-seats"}]] * 2
    await house.worker.errands.run_due()
    assert (out.free, back.free) == (4, 0)
    assert plans.taken() == 2
    back.free = 2  # the control: with seats for both rivals both win
    control = await asyncio.gather(*(plans.put(new_id(), plans.body()) for _ in range(2)))
    assert [one.status_code for one in control] == [201, 201]


async def test_a_release_before_the_plan_arrives_leaves_a_tombstone(house: Any, plans: Any) -> None:
    plans.flights()
    plan_id = new_id()
    assert (await plans.release(plan_id)).json() == {
        "id": str(plan_id),
        "status": "released",
        "expires_at": None,
        "bookings": [],
    }
    late = await plans.put(plan_id, plans.body())
    assert (late.status_code, late.json()["code"]) == (409, "seat-plan-released")
    assert (await plans.confirm(plan_id)).json()["code"] == "seat-plan-released"
    assert house.flight.holds == {}


async def test_an_unpaid_plan_expires_whole_and_a_late_confirmation_takes_the_seats_again(
    house: Any, plans: Any
) -> None:
    out, back = plans.flights()
    plan = await plans.held()
    house.clock.advance(timedelta(minutes=15))
    assert await house.worker.expiry.expire_due() == 0, "rides expire together, with their plan"
    assert await house.worker.seat_plans.sweep() == 1
    await house.worker.errands.run_due()
    assert await plans.states() == ["expired", "expired"]
    assert (out.free, back.free) == (5, 5)
    assert await house.events("booking.expired.v1") == []
    assert (await plans.confirm(plan["id"])).json()["status"] == "confirmed"
    assert await plans.states() == ["confirmed", "confirmed"]
    assert (out.free, back.free) == (4, 4)


async def test_a_confirmation_after_others_took_one_seat_gives_all_of_them_back(house: Any, plans: Any) -> None:
    out, back = plans.flights()
    plan = await plans.held()
    house.flight.expire(next(hold.id for hold in house.flight.holds.values() if back.id in str(hold.answer)))
    back.free = 0
    answer = await plans.confirm(plan["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "seat-plan-expired")
    await house.worker.errands.run_due()
    assert await plans.states() == ["expired", "expired"]
    assert out.free == 5
    assert await house.events("booking.confirmed.v1") == []
    again = await plans.confirm(plan["id"])
    assert again.json()["code"] == "seat-plan-expired"
    await house.worker.errands.run_due()
    assert out.free == 5


async def test_a_release_frees_what_is_not_yet_flown(house: Any, plans: Any) -> None:
    out, back = plans.flights()
    plan = await plans.held()
    await plans.confirm(plan["id"])
    house.clock.advance(timedelta(days=7))  # 8 December: the ride out is flown
    assert (await plans.release(plan["id"])).json()["status"] == "released"
    await house.worker.errands.run_due()
    assert (out.free, back.free) == (4, 5)
    assert await plans.states() == ["cancelled", "confirmed"]
    assert house.payment.ride_uses == {}, "payment-service asked for it and is not told"


async def test_a_traveller_who_cancels_one_ride_gets_no_money_and_the_ride_is_given_back(
    house: Any, plans: Any
) -> None:
    plans.flights()
    plan = await plans.held()
    await plans.confirm(plan["id"])
    path = f"/v1/bookings/{plan['bookings'][0]['booking_id']}"
    quote = (await house.post(f"{path}/cancellation-quotes", {"scope": "all"})).json()
    assert (quote["refund"]["amount"], quote["fee"]["amount"]) == ("0.00", "0.00")
    assert (await house.post(f"{path}/cancellations", {"quote_id": quote["id"]})).status_code == 201
    await house.worker.errands.run_due()
    assert [call for call in house.payment.wire.calls if "subscription-uses" in call] == [
        f"POST /internal/v1/subscription-uses/{plan['bookings'][0]['booking_id']}/release"
    ]
    assert house.payment.refunds == {}
    assert await plans.states() == ["cancelled", "confirmed"]


async def test_later_periods_take_the_traveller_of_the_first_who_is_kept_encrypted_until_forgotten(
    house: Any, plans: Any
) -> None:
    plans.flights()
    later = date(2026, 12, 14)
    for _ in range(2):
        house.flight.add_departure(later)
        later += timedelta(days=7)
    first = plans.body()
    second = {**first, "starts_on": "2026-12-14", "ends_on": "2026-12-21", "traveller": None}
    second["rides"] = first["rides"][:1]
    unknown = await plans.put(new_id(), second)
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "traveller-required")
    await plans.put(new_id(), first)
    (kept,) = await house.rows("SELECT sealed FROM kept_traveller")
    assert all(word not in bytes(kept["sealed"]) for word in (b"Amina", b"BX0123456", b"amina@example.com"))
    renewed = await plans.put(new_id(), second)
    assert renewed.status_code == 201
    booking = await house.read(renewed.json()["bookings"][0]["booking_id"])
    assert booking["passengers"][0]["given_name"] == "Amina"
    await house.hear(UserDeletedV1(user_id=house.user_id, deleted_at=house.clock.now()))
    assert await house.rows("SELECT 1 FROM kept_traveller") == []
    third = {**second, "starts_on": "2026-12-21", "ends_on": "2026-12-28"}
    assert (await plans.put(new_id(), third)).status_code == 422


async def test_rides_of_a_plan_take_no_place_in_the_travellers_hold_budget(house: Any, plans: Any) -> None:
    plans.flights()
    await plans.held()
    await house.place()
    slots = [row["unpaid_slot"] for row in await house.rows("SELECT unpaid_slot FROM booking ORDER BY unpaid_slot")]
    assert (slots.count(None), len(slots)) == (2, 3)


async def test_what_cannot_be_a_plan_is_refused_before_anything_is_looked_for(house: Any, plans: Any) -> None:
    child = {**plans.person, "type": "child", "date_of_birth": "2020-01-01"}
    bags = {**plans.person, "extra_bags": 1}
    contact = {"email": "amina@example.com"}
    for wrong, pointer in (
        ({"traveller": {"passenger": child, "contact": contact}}, "#/traveller/passenger/type"),
        ({"traveller": {"passenger": bags, "contact": contact}}, "#/traveller/passenger/extra_bags"),
        ({"ends_on": "2026-12-07"}, None),
        (
            {"rides": [{"weekday": 2, "departure_time": "08:30", "route": "DAC-CXB"}], "ends_on": "2026-12-08"},
            "#/rides",
        ),
        ({"expires_at": "2026-12-01T07:00:00Z"}, "#/expires_at"),
    ):
        answer = await plans.put(new_id(), plans.body(**wrong))
        assert answer.status_code == 422, wrong
        assert pointer in (None, answer.json()["errors"][0]["pointer"])
    assert house.flight.wire.calls == []


async def test_only_payment_service_may_ask(house: Any, plans: Any) -> None:
    for claims in ({"issuer": "notification"}, {"user_id": house.user_id}):
        token = house.keyring.token(audience="booking", **claims)
        path = f"/internal/v1/seat-plans/{new_id()}"
        answer = await house.client.get(path, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 403
