"""Quote, then cancel: whole, by slice and by passenger; seats freed, refunds started."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from booking_service.cancelling.schemas import Cancellation, CancellationQuote
from rihla.kernel import new_id


async def _quote(house: Any, booking: Any, **scope: Any) -> Any:
    answer = await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", scope or {"scope": "all"})
    assert answer.status_code == 201, answer.text
    CancellationQuote.model_validate(answer.json())
    return answer.json()


async def _cancel(house: Any, booking: Any, **scope: Any) -> Any:
    quote = await _quote(house, booking, **scope)
    answer = await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": quote["id"]})
    assert answer.status_code == 201, answer.text
    Cancellation.model_validate(answer.json())
    await house.worker.errands.run_due()
    return answer.json()


def _return(house: Any, **offer: Any) -> str:
    out, back = house.flight.add_flight(days=30), house.flight.add_flight("JED", "DAC", days=31)
    return house.flight.add_offer([out], [back], **offer)


async def test_a_whole_cancellation_keeps_the_fee_frees_the_seats_and_refunds_the_rest(house: Any) -> None:
    booking = await house.confirmed()
    done = await _cancel(house, booking)
    assert done["fee"]["amount"] == "45.00"
    assert done["refund"]["amount"] == "442.17"
    assert done["booking"]["status"] == "cancelled"
    assert done["booking"]["passengers"][0]["coupons"][0]["status"] == "refunded"
    assert {flight.free for flight in house.flight.flights.values()} == {100}
    (refund,) = house.payment.refunds.values()
    assert (refund["amount_minor"], refund["reason"]) == (44_217, "cancellation")
    (event,) = await house.events("booking.cancelled.v1")
    assert (event["data"]["whole"], event["data"]["refund_minor"]) == (True, 44_217)


async def test_the_quote_says_beforehand_what_the_cancellation_gives(house: Any) -> None:
    booking = await house.confirmed()
    quote = await _quote(house, booking)
    assert quote["refund"]["amount"] == "442.17"
    assert quote["destinations"] == [{"kind": "card", "amount": quote["refund"]}]
    assert quote["involuntary"] is False
    assert (await house.read(booking["id"]))["status"] == "confirmed"


async def test_the_return_can_be_cancelled_alone_and_then_the_outbound(house: Any, traveller: Any) -> None:
    booking = await house.confirmed(house.body(_return(house)))
    out, back = booking["slices"]
    first = await _cancel(house, booking, scope="part", slice_ids=[back["id"]])
    assert first["booking"]["status"] == "partially_cancelled"
    assert [flight.free for flight in house.flight.flights.values()] == [99, 100]
    second = await _cancel(house, booking, scope="part", slice_ids=[out["id"]])
    assert second["booking"]["status"] == "cancelled"
    assert sum(one["amount_minor"] for one in house.payment.refunds.values()) == 2 * 44_217


async def test_an_infant_leaves_with_its_adult(house: Any, traveller: Any) -> None:
    infant = traveller(type="infant", given_name="Noor", date_of_birth="2026-01-01")
    booking = await house.confirmed(house.body(None, traveller(), traveller(given_name="Karim"), infant))
    adult = booking["passengers"][0]["id"]
    done = await _cancel(house, booking, scope="part", passenger_ids=[adult])
    coupons = [passenger["coupons"][0]["status"] for passenger in done["booking"]["passengers"]]
    assert coupons == ["refunded", "open", "refunded"]


async def test_every_order_of_partial_cancellations_gives_the_same_money_through_the_api(
    house: Any, traveller: Any
) -> None:
    totals = []
    for reverse in (False, True):
        house.payment.refunds.clear()
        party = [traveller(), traveller(given_name="Karim"), traveller(given_name="Rumi")]
        house.payment.add_code("ODD", 10_001)
        booking = await house.confirmed(house.body(_return(house), *party, promo_code="ODD"))
        parts = [
            {"passenger_ids": [one["id"]], "slice_ids": [leg["id"]]}
            for one in booking["passengers"]
            for leg in booking["slices"]
        ]
        for part in reversed(parts) if reverse else parts:
            await _cancel(house, booking, scope="part", **part)
        assert (await house.read(booking["id"]))["status"] == "cancelled"
        totals.append(sum(one["amount_minor"] for one in house.payment.refunds.values()))
    whole = await house.confirmed(house.body(_return(house), *party, promo_code="ODD"))
    quote = await _quote(house, whole)
    assert totals[0] == totals[1] == int(quote["refund"]["amount"].replace(".", ""))


async def test_an_unpaid_booking_is_simply_abandoned(house: Any) -> None:
    house.payment.add_code("SPRING", 1_000, uses=1)
    booking = await house.place(house.body(promo_code="SPRING"))
    done = await _cancel(house, booking)
    assert done["booking"]["status"] == "cancelled"
    assert done["booking"]["charges"][0]["status"] == "void"
    assert house.payment.codes["SPRING"]["uses"] == 1
    assert {flight.free for flight in house.flight.flights.values()} == {100}
    await house.pay(booking)
    await house.worker.errands.run_due()
    (refund,) = house.payment.refunds.values()
    assert refund["reason"] == "late_payment"
    assert (await house.read(booking["id"]))["status"] == "cancelled"


async def test_cancelling_twice_is_refused_the_second_time(house: Any) -> None:
    booking = await house.confirmed()
    quote = await _quote(house, booking)
    path = f"/v1/bookings/{booking['id']}/cancellations"
    assert (await house.post(path, {"quote_id": quote["id"]}, key="a")).status_code == 201
    again = await house.post(path, {"quote_id": quote["id"]}, key="b")
    assert (again.status_code, again.json()["code"]) == (409, "nothing-to-cancel")
    replay = await house.post(path, {"quote_id": quote["id"]}, key="a")
    assert (replay.status_code, replay.headers["idempotency-replayed"]) == (201, "true")
    await house.worker.errands.run_due()
    assert len(house.payment.refunds) == 1


async def test_ten_cancellations_at_once_refund_once(house: Any) -> None:
    booking = await house.confirmed()
    quote = await _quote(house, booking)
    path = f"/v1/bookings/{booking['id']}/cancellations"
    answers = await asyncio.gather(*(house.post(path, {"quote_id": quote["id"]}) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    await house.worker.errands.run_due()
    assert len(house.payment.refunds) == 1


async def test_a_quote_that_has_expired_is_gone(house: Any) -> None:
    booking = await house.confirmed()
    quote = await _quote(house, booking)
    house.clock.advance(timedelta(minutes=10))
    answer = await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": quote["id"]})
    assert (answer.status_code, answer.json()["code"]) == (410, "quote-expired")


async def test_a_quote_of_a_booking_that_changed_since_is_outdated(house: Any) -> None:
    booking = await house.confirmed(house.body(_return(house)))
    whole = await _quote(house, booking)
    await _cancel(house, booking, scope="part", slice_ids=[booking["slices"][0]["id"]])
    answer = await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": whole["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "quote-outdated")


async def test_a_flight_that_has_left_is_not_cancelled_but_the_return_still_is(house: Any) -> None:
    booking = await house.confirmed(house.body(_return(house)))
    house.clock.advance(timedelta(days=30, minutes=1))
    out = {"scope": "part", "slice_ids": [booking["slices"][0]["id"]]}
    answer = await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", out)
    assert (answer.status_code, answer.json()["code"]) == (409, "flight-departed")
    whole = await _quote(house, booking)
    assert [item["flight_id"] for item in whole["items"]] == [booking["slices"][1]["segments"][0]["flight_id"]]


async def test_a_basic_fare_returns_its_taxes_only(house: Any) -> None:
    offer = house.flight.add_offer([house.flight.add_flight()], brand="basic", refundable=False)
    booking = await house.confirmed(house.body(offer))
    assert (await _quote(house, booking))["refund"]["amount"] == "37.17"


async def test_the_refund_and_the_release_wait_for_services_that_are_down(house: Any) -> None:
    booking = await house.confirmed()
    house.flight.wire.down = house.payment.wire.down = True
    done = await _cancel(house, booking)
    assert done["booking"]["status"] == "cancelled"
    house.flight.wire.down = house.payment.wire.down = False
    house.clock.advance(timedelta(minutes=2))
    await house.worker.errands.run_due()
    assert len(house.payment.refunds) == 1
    assert {flight.free for flight in house.flight.flights.values()} == {100}


@pytest.mark.parametrize("verb", ["cancellation-quotes", "cancellations"])
async def test_somebody_elses_booking_is_not_found(house: Any, verb: str) -> None:
    booking = await house.confirmed()
    body = {"scope": "all"} if verb == "cancellation-quotes" else {"quote_id": str(new_id())}
    answer = await house.post(f"/v1/bookings/{booking['id']}/{verb}", body, user_id=new_id())
    assert (answer.status_code, answer.json()["code"]) == (404, "booking-not-found")


async def test_ids_of_another_booking_are_pointed_at(house: Any) -> None:
    booking = await house.confirmed()
    body = {"scope": "part", "slice_ids": [str(new_id())]}
    answer = await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown-slice")
    empty = await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", {"scope": "part"})
    assert empty.json()["errors"][0]["code"] == "scope-is-empty"


async def test_who_has_a_second_factor_proves_it_again_before_money_comes_back(house: Any) -> None:
    booking = await house.confirmed()
    quote = await _quote(house, booking)
    path, proved = f"/v1/bookings/{booking['id']}/cancellations", int(house.clock.now().timestamp())
    for stale in (0, proved - 600):
        headers = house.headers(key="one", second_factor_at=stale)
        refused = await house.client.post(path, json={"quote_id": quote["id"]}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")
        assert refused.json()["next"]["href"] == "/v1/me/two-factor/step-up"
    assert (await house.read(booking["id"]))["status"] == "confirmed"
    headers = house.headers(key="one", second_factor_at=proved - 599)
    done = await house.client.post(path, json={"quote_id": quote["id"]}, headers=headers)
    assert done.status_code == 201, done.text
    house.clock.advance(timedelta(minutes=1))
    again = await house.client.post(path, json={"quote_id": quote["id"]}, headers=headers)
    assert (again.status_code, again.json()["id"]) == (201, done.json()["id"]), "the same answer, proof or not"


async def test_an_unpaid_booking_is_abandoned_without_proving_anything(house: Any) -> None:
    booking = await house.place()
    quote = await _quote(house, booking)
    headers = house.headers(key="one", second_factor_at=0)
    path = f"/v1/bookings/{booking['id']}/cancellations"
    done = await house.client.post(path, json={"quote_id": quote["id"]}, headers=headers)
    assert (done.status_code, done.json()["booking"]["status"]) == (201, "cancelled")
