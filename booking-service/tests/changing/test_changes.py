"""Other seats, extras after purchase, and another flight of the route."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from booking_service.bookings.hold import HeldLine
from booking_service.changing.attribute_lines import attribute_lines, scaled_to
from rihla.contracts.events import FlightCancelledV1
from rihla.kernel import new_id


def _line(amount: int) -> HeldLine:
    common = {"passenger_id": new_id(), "flight_id": new_id(), "kind": "base", "code": "B", "name": "B"}
    return HeldLine(**common, amount_minor=amount, refund_class="fare")  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 99_999), min_size=1, max_size=6), st.lists(st.integers(0, 99_999), max_size=4))
def test_no_charge_carries_more_than_it_took_and_the_rest_is_left(lines: list[int], purses: list[int]) -> None:
    held = [_line(amount) for amount in lines]
    charges = [(new_id(), amount) for amount in purses]
    pairs, leftover = attribute_lines(held, charges)
    for charge, amount in charges:
        carried = sum(line.amount_minor for one, line in pairs if one == charge)
        assert carried + leftover.get(charge, 0) == amount
    assert sum(line.amount_minor for _, line in pairs) == min(sum(lines), sum(purses))


@given(st.lists(st.integers(0, 99_999), min_size=1, max_size=6), st.integers(0, 999_999))
def test_scaled_lines_sum_to_what_was_paid(lines: list[int], worth: int) -> None:
    assert sum(line.amount_minor for line in scaled_to([_line(one) for one in lines], worth)) == worth


async def _put_seat(house: Any, booking: Any, designator: str, passenger: int = 0) -> Any:
    one = booking["passengers"][passenger]
    item = {
        "passenger_id": one["id"],
        "flight_id": booking["slices"][0]["segments"][0]["flight_id"],
        "designator": designator,
    }
    path = f"/v1/bookings/{booking['id']}/seats"
    return await house.client.put(path, json={"items": [item]}, headers=house.headers())


async def test_a_free_seat_can_be_moved_to_and_a_taken_one_cannot(house: Any, traveller: Any) -> None:
    booking = await house.confirmed(house.body(None, traveller(), traveller(given_name="Karim")))
    moved = await _put_seat(house, booking, "12A")
    assert moved.status_code == 200, moved.text
    assert moved.json()["passengers"][0]["coupons"][0]["seat"] == "12A"
    taken = await _put_seat(house, booking, "12A", passenger=1)
    assert (taken.status_code, taken.json()["code"]) == (409, "seat-taken")


async def test_a_seat_moved_before_a_crash_is_written_down_by_the_errand(house: Any) -> None:
    booking = await house.confirmed()
    house.flight.wire.lose_answers_of = "PUT .*seats"
    assert (await _put_seat(house, booking, "14C")).status_code == 503
    house.flight.wire.lose_answers_of = ""
    house.clock.advance(timedelta(minutes=1))
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["passengers"][0]["coupons"][0]["seat"] == "14C"


async def _extras(house: Any, booking: Any, **wish: Any) -> Any:
    one = {"passenger_id": booking["passengers"][0]["id"], **wish}
    return await house.post(f"/v1/bookings/{booking['id']}/extras", {"passengers": [one]})


async def test_extras_are_added_once_their_charge_is_paid(house: Any) -> None:
    booking = await house.confirmed()
    asked = await _extras(house, booking, extra_bags=2)
    assert asked.status_code == 201, asked.text
    charge = asked.json()["charges"][1]
    assert (charge["kind"], charge["status"], charge["amount"]["amount"]) == ("extras", "due", "80.00")
    assert asked.json()["passengers"][0]["extra_bags"] == 0
    await house.pay(asked.json())
    seen = await house.read(booking["id"])
    assert seen["passengers"][0]["extra_bags"] == 2
    assert seen["price"]["extras"]["amount"] == "80.00"
    assert seen["total"]["amount"] == "567.17"
    quote = (await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", {"scope": "all"})).json()
    assert quote["refund"]["amount"] == "522.17"


async def test_extras_nobody_pays_for_expire(house: Any) -> None:
    booking = await house.confirmed()
    asked = (await _extras(house, booking, extra_bags=1)).json()
    house.clock.advance(timedelta(minutes=15))
    assert await house.worker.changes.end_due() == 1
    seen = await house.read(booking["id"])
    assert [charge["status"] for charge in seen["charges"]] == ["paid", "void"]
    await house.pay(asked)
    assert [one["reason"] for one in house.payment.refunds.values()] == ["late_payment"]


async def test_assistance_is_free_and_added_at_once(house: Any) -> None:
    booking = await house.confirmed()
    answer = await _extras(house, booking, ssr=["WCHR"])
    assert answer.json()["passengers"][0]["ssr"] == ["WCHR"]
    assert len(answer.json()["charges"]) == 1


async def _quote_change(house: Any, booking: Any, offer: str) -> Any:
    body = {"slice_id": booking["slices"][0]["id"], "offer_id": offer}
    return await house.post(f"/v1/bookings/{booking['id']}/change-quotes", body)


async def _change(house: Any, booking: Any, offer: str) -> Any:
    quote = await _quote_change(house, booking, offer)
    assert quote.status_code == 201, quote.text
    done = await house.post(f"/v1/bookings/{booking['id']}/changes", {"quote_id": quote.json()["id"]})
    assert done.status_code == 201, done.text
    return done.json()


async def test_a_dearer_flight_is_swapped_in_once_difference_and_fee_are_paid(house: Any) -> None:
    booking = await house.confirmed()
    (old,) = house.flight.flights.values()
    house.flight.base_minor = 50_000
    new = house.flight.add_flight(days=35)
    held = await _change(house, booking, house.flight.add_offer([new]))
    charge = held["charges"][1]
    assert (charge["kind"], charge["amount"]["amount"]) == ("change", "100.00")
    assert (old.free, new.free) == (99, 99), "new seats are held before old ones are freed"
    await house.pay(held)
    await house.worker.errands.run_due()
    seen = await house.read(booking["id"])
    assert seen["status"] == "confirmed"
    assert seen["slices"][0]["segments"][0]["flight_id"] == new.id
    assert seen["slices"][0]["id"] == booking["slices"][0]["id"]
    assert seen["total"]["amount"] == "587.17"
    assert (old.free, new.free) == (100, 99)
    coupon = seen["passengers"][0]["coupons"][0]
    assert (coupon["status"], coupon["e_ticket_number"]) == ("open", seen["passengers"][0]["e_ticket_number"])
    quote = (await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", {"scope": "all"})).json()
    assert quote["refund"]["amount"] == "487.17", "a tenth of the fare and the change fee are kept"


async def test_a_cheaper_flight_gives_the_difference_back_at_once(house: Any) -> None:
    booking = await house.confirmed()
    house.flight.base_minor = 30_000
    done = await _change(house, booking, house.flight.add_offer([house.flight.add_flight(days=35)]))
    await house.worker.errands.run_due()
    assert len(done["charges"]) == 1
    assert [(one["amount_minor"], one["reason"]) for one in house.payment.refunds.values()] == [(10_000, "change")]
    seen = await house.read(booking["id"])
    assert seen["total"]["amount"] == "387.17"
    quote = (await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", {"scope": "all"})).json()
    done = await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": quote["id"]})
    assert done.status_code == 201, done.text


async def test_a_slightly_cheaper_flight_costs_the_rest_of_the_fee_and_can_be_refunded_in_full_by_the_airline(
    house: Any,
) -> None:
    booking = await house.confirmed()
    house.flight.base_minor = 43_000
    new = house.flight.add_flight(days=35)
    held = await _change(house, booking, house.flight.add_offer([new]))
    assert held["charges"][1]["amount"]["amount"] == "30.00"
    await house.pay(held)
    facts = {
        "flight_id": new.id,
        "flight_number": new.number,
        "airline": new.airline,
        "origin": new.origin,
        "destination": new.destination,
        "departure_at": new.departure_at,
        "arrival_at": new.arrival_at,
        "occurred_at": house.clock.now(),
    }
    await house.hear(FlightCancelledV1.model_validate(facts))
    quote = (await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", {"scope": "all"})).json()
    assert quote["refund"]["amount"] == "517.17"
    done = await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": quote["id"]})
    assert done.status_code == 201, done.text
    await house.worker.errands.run_due()
    assert sum(one["amount_minor"] for one in house.payment.refunds.values()) == 51_717


async def test_a_disrupted_traveller_moves_free_of_charge(house: Any) -> None:
    booking = await house.confirmed()
    (old,) = house.flight.flights.values()
    facts = {
        "flight_id": old.id,
        "flight_number": old.number,
        "airline": old.airline,
        "origin": old.origin,
        "destination": old.destination,
        "departure_at": old.departure_at,
        "arrival_at": old.arrival_at,
        "occurred_at": house.clock.now(),
    }
    await house.hear(FlightCancelledV1.model_validate(facts))
    house.flight.base_minor = 90_000
    done = await _change(house, booking, house.flight.add_offer([house.flight.add_flight(days=31)]))
    assert done["status"] == "confirmed"
    assert done["total"] == booking["total"]
    assert len(done["charges"]) == 1
    items = (await house.get(f"/v1/bookings/{booking['id']}/disruptions")).json()["items"]
    assert [item["status"] for item in items] == ["moved"]


async def test_a_change_nobody_pays_for_keeps_the_old_flight_and_frees_the_new_one(house: Any) -> None:
    booking = await house.confirmed()
    new = house.flight.add_flight(days=35)
    await _change(house, booking, house.flight.add_offer([new]))
    house.clock.advance(timedelta(minutes=15))
    await house.worker.changes.end_due()
    await house.worker.errands.run_due()
    assert new.free == 100
    seen = await house.read(booking["id"])
    assert seen["slices"] == booking["slices"]
    assert [charge["status"] for charge in seen["charges"]] == ["paid", "void"]


async def test_with_flight_service_down_the_change_can_be_repeated_and_holds_once(house: Any) -> None:
    booking = await house.confirmed()
    new = house.flight.add_flight(days=35)
    quote = (await _quote_change(house, booking, house.flight.add_offer([new]))).json()
    path, body = f"/v1/bookings/{booking['id']}/changes", {"quote_id": quote["id"]}
    house.flight.wire.lose_answers_of = "PUT"
    assert (await house.post(path, body, key="c1")).status_code == 503
    house.flight.wire.lose_answers_of = ""
    house.clock.advance(timedelta(seconds=31))
    again = await house.post(path, body, key="c1")
    assert again.status_code == 201, again.text
    assert new.free == 99
    assert len(again.json()["charges"]) == 2


async def test_another_route_the_day_of_departure_and_a_fixed_fare_are_refused(house: Any) -> None:
    booking = await house.confirmed()
    elsewhere = await _quote_change(house, booking, house.flight.add_offer([house.flight.add_flight("DAC", "DXB")]))
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "other-route")
    today = await house.confirmed(house.body(house.one_way(days=0.3)))
    same_day = await _quote_change(house, today, house.one_way(days=3))
    assert (same_day.status_code, same_day.json()["code"]) == (409, "not-changeable")
    fixed_offer = house.flight.add_offer([house.flight.add_flight()], changeable=False)
    fixed = await _quote_change(house, await house.confirmed(house.body(fixed_offer)), house.one_way())
    assert (fixed.status_code, fixed.json()["code"]) == (409, "not-changeable")


async def test_one_change_at_a_time(house: Any) -> None:
    booking = await house.confirmed()
    offer = house.flight.add_offer([house.flight.add_flight(days=35)])
    await _change(house, booking, offer)
    quote = (await _quote_change(house, booking, offer)).json()
    second = await house.post(f"/v1/bookings/{booking['id']}/changes", {"quote_id": quote["id"]})
    assert (second.status_code, second.json()["code"]) == (409, "booking-step-under-way")


async def test_somebody_elses_booking_is_not_found(house: Any) -> None:
    booking = await house.confirmed()
    at, stranger = f"/v1/bookings/{booking['id']}", new_id()
    bodies = {
        "extras": {"passengers": [{"passenger_id": str(new_id()), "extra_bags": 1}]},
        "change-quotes": {"slice_id": str(new_id()), "offer_id": "x"},
        "changes": {"quote_id": str(new_id())},
    }
    for verb, body in bodies.items():
        assert (await house.post(f"{at}/{verb}", body, user_id=stranger)).status_code == 404, verb


async def test_a_cheaper_flight_gives_money_back_only_with_a_fresh_second_factor(house: Any) -> None:
    booking = await house.confirmed()
    house.flight.base_minor = 30_000
    quote = (await _quote_change(house, booking, house.flight.add_offer([house.flight.add_flight(days=35)]))).json()
    path, proved = f"/v1/bookings/{booking['id']}/changes", int(house.clock.now().timestamp())
    stale = house.headers(key="c1", second_factor_at=0)
    refused = await house.client.post(path, json={"quote_id": quote["id"]}, headers=stale)
    assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")
    fresh = house.headers(key="c1", second_factor_at=proved)
    done = await house.client.post(path, json={"quote_id": quote["id"]}, headers=fresh)
    assert done.status_code == 201, done.text
