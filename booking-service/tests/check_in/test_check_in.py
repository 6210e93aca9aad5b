"""Check-in: its window, passports, seats, numbers that are never given twice, and undoing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from rihla.kernel import new_id


async def _check_in(house: Any, booking: Any, *passengers: Any, user_id: Any = None, **extra: Any) -> Any:
    ids = [one["id"] for one in passengers or booking["passengers"]]
    return await house.post(f"/v1/bookings/{booking['id']}/check-in", {"passenger_ids": ids, **extra}, user_id=user_id)


async def _soon(house: Any, *party: Any, **flight: Any) -> Any:
    """A confirmed booking that leaves in a day."""
    return await house.confirmed(house.body(house.one_way(days=1, **flight), *party))


async def test_check_in_gives_sequence_numbers_and_tells_of_it(house: Any, traveller: Any) -> None:
    booking = await _soon(house, traveller(), traveller(given_name="Karim"))
    answer = await _check_in(house, booking)
    assert answer.status_code == 200, answer.text
    coupons = [passenger["coupons"][0] for passenger in answer.json()["passengers"]]
    assert [coupon["status"] for coupon in coupons] == ["checked_in", "checked_in"]
    assert sorted(coupon["check_in_sequence"] for coupon in coupons) == [1, 2]
    assert all(coupon["seat"] for coupon in coupons)
    (event,) = await house.events("booking.checked_in.v1")
    assert len(event["data"]["checked_in_items"]) == 2


@pytest.mark.parametrize(("days", "code"), [(2.01, "check-in-not-open"), (0.04, "check-in-closed")])
async def test_too_early_and_too_late_are_told_apart(house: Any, days: float, code: str) -> None:
    booking = await house.confirmed(house.body(house.one_way(days=days)))
    answer = await _check_in(house, booking)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_an_international_flight_needs_a_passport_and_a_domestic_one_does_not(house: Any, traveller: Any) -> None:
    abroad = await _soon(house, traveller(passport=None))
    answer = await _check_in(house, abroad)
    assert (answer.status_code, answer.json()["code"]) == (409, "passport-required")
    assert answer.json()["passenger_ids"] == [abroad["passengers"][0]["id"]]
    home = await _soon(house, traveller(passport=None), international=False)
    assert (await _check_in(house, home)).status_code == 200


async def test_a_number_that_was_undone_is_never_given_again(house: Any, traveller: Any) -> None:
    booking = await _soon(house, traveller(), traveller(given_name="Karim"))
    first = booking["passengers"][0]
    await _check_in(house, booking, first)
    path = f"/v1/bookings/{booking['id']}/check-in"
    undone = await house.client.delete(path, headers=house.headers(), params={"passenger_id": first["id"]})
    assert undone.status_code == 200, undone.text
    assert undone.json()["passengers"][0]["coupons"][0]["status"] == "open"
    again = await _check_in(house, booking)
    numbers = sorted(one["coupons"][0]["check_in_sequence"] for one in again.json()["passengers"])
    assert numbers == [2, 3]
    rows = await house.rows("SELECT sequence, state FROM check_in ORDER BY sequence")
    assert [(row["sequence"], row["state"]) for row in rows] == [(1, "void"), (2, "active"), (3, "active")]
    twice = await house.client.delete(path, headers=house.headers())
    assert twice.status_code == 200
    nothing = await house.client.delete(path, headers=house.headers())
    assert (nothing.status_code, nothing.json()["code"]) == (409, "not-checked-in")


async def test_many_at_once_on_one_flight_get_different_numbers(house: Any) -> None:
    flight = house.flight.add_flight(days=1)
    offer = house.flight.add_offer([flight])
    bookings = [await house.confirmed(house.body(offer)) for _ in range(6)]
    answers = await asyncio.gather(*(_check_in(house, booking) for booking in bookings))
    numbers = [answer.json()["passengers"][0]["coupons"][0]["check_in_sequence"] for answer in answers]
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


async def test_ten_check_ins_of_one_passenger_give_one_number(house: Any) -> None:
    booking = await _soon(house)
    answers = await asyncio.gather(*(_check_in(house, booking) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert len(await house.rows("SELECT 1 FROM check_in")) == 1


async def test_an_infant_is_checked_in_with_its_adult(house: Any, traveller: Any) -> None:
    infant = traveller(type="infant", given_name="Noor", date_of_birth="2026-01-01")
    booking = await _soon(house, traveller(), infant)
    answer = await _check_in(house, booking, booking["passengers"][0])
    assert [one["coupons"][0]["status"] for one in answer.json()["passengers"]] == ["checked_in", "checked_in"]


async def test_only_flights_whose_window_is_open_are_checked_in(house: Any) -> None:
    legs = [house.flight.add_flight(days=1)], [house.flight.add_flight("JED", "DAC", days=9)]
    booking = await house.confirmed(house.body(house.flight.add_offer(*legs)))
    answer = await _check_in(house, booking)
    assert [one["status"] for one in answer.json()["passengers"][0]["coupons"]] == ["checked_in", "open"]


async def test_an_unpaid_booking_is_not_one_to_travel_on(house: Any) -> None:
    booking = await house.place(house.body(house.one_way(days=1)))
    answer = await _check_in(house, booking)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-check-in")


async def test_somebody_elses_booking_and_passenger_are_not_found(house: Any) -> None:
    booking = await _soon(house)
    assert (await _check_in(house, booking, user_id=new_id())).status_code == 404
    other = {"id": str(new_id())}
    answer = await _check_in(house, booking, other)
    assert (answer.status_code, answer.json()["code"]) == (404, "passenger-not-found")


async def test_a_checked_in_coupon_can_be_cancelled_and_its_number_is_void(house: Any) -> None:
    booking = await _soon(house)
    await _check_in(house, booking)
    quote = (await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", {"scope": "all"})).json()
    done = await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": quote["id"]})
    assert done.status_code == 201, done.text
    assert [row["state"] for row in await house.rows("SELECT state FROM check_in")] == ["void"]


async def test_a_journey_that_has_ended_is_completed(house: Any) -> None:
    booking = await _soon(house)
    await _check_in(house, booking)
    house.clock.advance(timedelta(days=2))
    assert await house.worker.completion.complete_due() == 1
    seen = await house.read(booking["id"])
    assert (seen["status"], seen["passengers"][0]["coupons"][0]["status"]) == ("completed", "flown")
    assert len(await house.events("booking.completed.v1")) == 1
