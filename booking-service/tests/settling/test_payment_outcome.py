"""What becomes of payments: confirmation, duplicates, wrong amounts, late ones; and expiry beside them."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from booking_service.settling.accept_payment import accept_payment
from booking_service.settling.rules import Paid
from rihla.contracts.events import RefundFailedV1, RefundSucceededV1
from rihla.kernel import new_id
from rihla.messaging import Poison


async def test_a_payment_confirms_the_booking_with_ticket_numbers_and_seats(house: Any, traveller: Any) -> None:
    booking = await house.place(house.body(None, traveller(), traveller(given_name="Karim")))
    await house.pay(booking)
    seen = await house.read(booking["id"])
    assert seen["status"] == "confirmed"
    assert seen["charges"][0]["status"] == "paid"
    numbers = [passenger["e_ticket_number"] for passenger in seen["passengers"]]
    assert len(set(numbers)) == 2
    assert all(re.fullmatch(r"901\d{10}", number) for number in numbers)
    assert all(coupon["seat"] for passenger in seen["passengers"] for coupon in passenger["coupons"])
    (event,) = await house.events("booking.confirmed.v1")
    assert event["sequence"] == 2
    assert event["data"]["passengers"][0]["e_ticket_number"] == numbers[0]
    assert event["data"]["late"] is False


async def test_an_itinerary_of_two_airlines_has_a_ticket_for_each(house: Any) -> None:
    legs = [house.flight.add_flight(), house.flight.add_flight("JED", "CAI", days=31, accounting_code="777")]
    booking = await house.confirmed(house.body(house.flight.add_offer(legs)))
    (passenger,) = booking["passengers"]
    assert [coupon["e_ticket_number"][:3] for coupon in passenger["coupons"]] == ["901", "777"]
    assert passenger["e_ticket_number"] == passenger["coupons"][0]["e_ticket_number"]


async def test_confirmation_asks_for_the_documents_in_the_same_commit(house: Any) -> None:
    await house.confirmed()
    assert len(await house.rows("SELECT 1 FROM document_job")) == 1


async def test_the_same_event_twice_changes_nothing(house: Any) -> None:
    booking = await house.place()
    event, event_id = house.payment_of(booking), new_id()
    assert await house.hear(event, event_id=event_id) == "handled"
    assert await house.hear(event, event_id=event_id) == "repeated"
    await house.worker.errands.run_due()
    assert len(await house.events("booking.confirmed.v1")) == 1


async def test_the_same_payment_in_another_message_changes_nothing(house: Any) -> None:
    booking = await house.place()
    event = house.payment_of(booking)
    await house.hear(event)
    await house.hear(event)
    await house.worker.errands.run_due()
    await house.hear(event)
    await house.worker.errands.run_due()
    assert len(await house.events("booking.confirmed.v1")) == 1
    assert house.payment.refunds == {}


async def test_a_second_payment_for_a_paid_charge_is_given_back_in_full(house: Any) -> None:
    booking = await house.place()
    await house.pay(booking)
    await house.pay(booking)
    (refund,) = house.payment.refunds.values()
    assert (refund["amount_minor"], refund["reason"]) == (48_717, "superseded")
    assert (await house.read(booking["id"]))["status"] == "confirmed"


@pytest.mark.parametrize("change", [{"amount_minor": 48_716}, {"currency": "EUR"}])
async def test_a_payment_of_the_wrong_amount_or_currency_is_given_back(house: Any, change: dict[str, Any]) -> None:
    booking = await house.place()
    await house.pay(booking, **change)
    seen = await house.read(booking["id"])
    assert (seen["status"], seen["charges"][0]["status"]) == ("pending_payment", "due")
    (refund,) = house.payment.refunds.values()
    assert refund["reason"] == "superseded"
    (asked,) = house.payment.refunds.values()
    (kept,) = await house.rows("SELECT payment_id FROM refund")
    assert asked["payment_id"] == str(kept["payment_id"]), "the payment that was not applied, not the one that was"
    await house.pay(booking)
    assert (await house.read(booking["id"]))["status"] == "confirmed"


async def test_a_payment_for_a_charge_nobody_made_is_put_aside(house: Any) -> None:
    booking = await house.place()
    with pytest.raises(Poison):
        await house.hear(house.payment_of(booking, charge_id=new_id()))


async def test_a_wallet_top_up_is_none_of_our_business(house: Any) -> None:
    booking = await house.place()
    assert await house.hear(house.payment_of(booking, booking_id=None, charge_id=None)) == "handled"


async def test_flight_service_down_at_confirmation_only_delays_it(house: Any) -> None:
    booking = await house.place()
    house.flight.wire.down = True
    await house.pay(booking)
    seen = await house.read(booking["id"])
    assert (seen["status"], seen["charges"][0]["status"]) == ("pending_payment", "paid")
    house.clock.advance(timedelta(minutes=16))
    assert await house.worker.expiry.expire_due() == 0, "a paid booking does not expire"
    house.flight.wire.down = False
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "confirmed"


async def test_a_confirmation_whose_answer_was_lost_is_not_made_twice(house: Any) -> None:
    booking = await house.place()
    house.flight.wire.lose_answers_of = "confirm"
    await house.pay(booking)
    assert (await house.read(booking["id"]))["status"] == "pending_payment"
    house.flight.wire.lose_answers_of = ""
    house.clock.advance(timedelta(minutes=2))
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "confirmed"
    assert len(await house.events("booking.confirmed.v1")) == 1


async def test_an_unpaid_booking_expires_and_its_seats_are_free(house: Any) -> None:
    booking = await house.place()
    house.clock.advance(timedelta(minutes=15))
    assert await house.worker.expiry.expire_due() == 1
    await house.worker.errands.run_due()
    seen = await house.read(booking["id"])
    assert seen["status"] == "expired"
    assert seen["charges"][0]["status"] == "void"
    assert {flight.free for flight in house.flight.flights.values()} == {100}
    (event,) = await house.events("booking.expired.v1")
    assert event["sequence"] == 2


async def test_several_sweepers_expire_each_booking_once(house: Any) -> None:
    for _ in range(8):
        await house.place()
    house.clock.advance(timedelta(minutes=15))
    assert sum(await asyncio.gather(*(house.worker.expiry.expire_due() for _ in range(4)))) == 8
    assert len(await house.events("booking.expired.v1")) == 8


async def test_an_expired_booking_gives_its_promo_use_back(house: Any) -> None:
    house.payment.add_code("SPRING", 1_000, uses=1)
    await house.place(house.body(promo_code="SPRING"))
    house.clock.advance(timedelta(minutes=15))
    await house.worker.expiry.expire_due()
    await house.worker.errands.run_due()
    assert house.payment.codes["SPRING"]["uses"] == 1


async def test_a_late_payment_takes_the_same_seats_again_at_the_locked_price(house: Any) -> None:
    booking = await house.place()
    house.clock.advance(timedelta(minutes=15))
    await house.worker.expiry.expire_due()
    await house.worker.errands.run_due()
    await house.pay(booking)
    seen = await house.read(booking["id"])
    assert seen["status"] == "confirmed"
    assert seen["total"] == booking["total"]
    assert [coupon["status"] for coupon in seen["passengers"][0]["coupons"]] == ["open"]
    (event,) = await house.events("booking.confirmed.v1")
    assert event["data"]["late"] is True


async def test_a_late_payment_before_the_release_was_made_ends_with_sold_seats(house: Any) -> None:
    booking = await house.place()
    house.clock.advance(timedelta(minutes=15))
    await house.worker.expiry.expire_due()
    await house.pay(booking)
    assert (await house.read(booking["id"]))["status"] == "confirmed"
    await house.worker.errands.run_due()
    assert [hold.status for hold in house.flight.holds.values()] == ["confirmed"]
    assert {flight.free for flight in house.flight.flights.values()} == {99}


async def test_a_late_payment_that_cannot_be_honoured_goes_back_in_full(house: Any) -> None:
    offer = house.one_way(free=1)
    booking = await house.place(house.body(offer))
    house.clock.advance(timedelta(minutes=15))
    await house.worker.expiry.expire_due()
    await house.worker.errands.run_due()
    await house.place(house.body(offer), user_id=new_id())
    await house.pay(booking)
    await house.worker.errands.run_due()
    seen = await house.read(booking["id"])
    assert seen["status"] == "expired"
    assert seen["charges"][0]["status"] == "refunded"
    (refund,) = house.payment.refunds.values()
    assert (refund["amount_minor"], refund["reason"]) == (48_717, "late_payment")


async def test_a_payment_in_time_whose_hold_was_lost_takes_seats_again_or_goes_back(house: Any) -> None:
    offer = house.one_way(free=1)
    booking = await house.place(house.body(offer))
    (hold_id,) = house.flight.holds
    house.flight.expire(hold_id)
    await house.pay(booking)
    assert (await house.read(booking["id"]))["status"] == "confirmed"


async def test_a_lost_hold_with_no_seats_left_expires_the_booking_and_refunds(house: Any) -> None:
    offer = house.one_way(free=1)
    booking = await house.place(house.body(offer))
    (hold_id,) = house.flight.holds
    house.flight.expire(hold_id)
    next(iter(house.flight.flights.values())).free = 0
    await house.pay(booking)
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "expired"
    assert [one["amount_minor"] for one in house.payment.refunds.values()] == [48_717]
    assert len(await house.events("booking.expired.v1")) == 1


async def test_expiry_and_payment_at_one_instant_end_in_exactly_one_truth(house: Any) -> None:
    for _ in range(6):
        booking = await house.place()
        house.clock.advance(timedelta(minutes=15))
        await asyncio.gather(house.worker.expiry.expire_due(), house.hear(house.payment_of(booking)))
        await house.worker.errands.run_due()
        seen = await house.read(booking["id"])
        assert (seen["status"], seen["charges"][0]["status"]) == ("confirmed", "paid")
    confirmed = [hold.status for hold in house.flight.holds.values()]
    assert confirmed == ["confirmed"] * 6


async def test_without_the_row_lock_two_payments_would_both_pay_the_charge(house: Any, monkeypatch: Any) -> None:
    """The control of the test below: it is the lock that makes two payments one."""
    from booking_service.bookings.read_booking import load_booking
    from booking_service.settling import accept_payment as deed

    monkeypatch.setattr(deed, "lock_booking", load_booking)
    assert await _race_two_payments(house) > 1


async def test_two_payments_at_once_pay_the_charge_once(house: Any) -> None:
    assert await _race_two_payments(house) == 1


async def _race_two_payments(house: Any) -> int:
    """How many of two payments, both of which have read the booking before either commits, were applied."""
    booking = await house.place()
    db, now = house.worker.c.db, house.clock.now()
    gate = asyncio.Barrier(2)

    async def one() -> str:
        event = house.payment_of(booking)
        paid = Paid(event.payment_id, event.charge_id, event.amount_minor, event.currency)
        async with db.transaction() as session:
            await session.execute(__import__("sqlalchemy").text("SELECT 1"))
            await gate.wait()
            return str(await accept_payment(session, event.booking_id, paid, now=now))

    outcomes = await asyncio.gather(one(), one())
    return sum(outcome == "confirm" for outcome in outcomes)


async def test_a_refund_tells_how_it_ends_and_its_receipt_is_made(house: Any) -> None:
    booking = await house.place()
    await house.pay(booking)
    await house.pay(booking)
    seen = await house.read(booking["id"])
    (refund,) = seen["refunds"]
    assert refund["status"] == "pending"
    assert refund["destinations"] == [{"kind": "card", "amount": {"amount": "487.17", "currency": "USD"}}]
    facts = {
        "refund_id": refund["id"],
        "booking_id": booking["id"],
        "user_id": house.user_id,
        "amount_minor": 48_717,
        "currency": "USD",
        "reason": "superseded",
    }
    at = house.clock.now()
    await house.hear(RefundSucceededV1.model_validate({**facts, "refunded_at": at}))
    await house.hear(RefundFailedV1.model_validate({**facts, "failure_code": "x", "failed_at": at}))
    assert (await house.read(booking["id"]))["refunds"][0]["status"] == "succeeded"


async def test_a_refund_that_payment_service_refuses_stays_visible_as_failed(house: Any) -> None:
    booking = await house.place()
    await house.pay(booking)
    house.payment.refuse_refunds = True
    await house.pay(booking)
    assert (await house.read(booking["id"]))["refunds"][0]["status"] == "failed"


async def test_a_refund_waits_for_payment_service_and_is_asked_for_under_one_id(house: Any) -> None:
    booking = await house.place()
    await house.pay(booking)
    house.payment.wire.lose_answers_of = "refunds"
    await house.pay(booking)
    house.payment.wire.lose_answers_of = ""
    house.clock.advance(timedelta(minutes=2))
    await house.worker.errands.run_due()
    assert len(house.payment.refunds) == 1
    assert (await house.read(booking["id"]))["refunds"][0]["status"] == "pending"


async def test_payment_service_reads_what_is_due_and_nobody_else_does(house: Any) -> None:
    booking = await house.place()
    charge = booking["charges"][0]
    params = {"booking_id": booking["id"], "charge_id": charge["id"], "user_id": str(house.user_id)}
    token = house.keyring.token(audience="booking", issuer="payment")
    headers = {"authorization": f"Bearer {token}"}
    answer = await house.client.get("/internal/v1/charges/due", params=params, headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {
        **params,
        "reference": booking["reference"],
        "kind": "initial",
        "amount_minor": 48_717,
        "currency": "USD",
        "status": "due",
        "payable_until": "2026-12-01T08:15:00Z",
    }
    forbidden = await house.client.get("/internal/v1/charges/due", params=params, headers=house.headers())
    assert forbidden.status_code == 403
    stranger = {**params, "user_id": str(new_id())}
    unknown = await house.client.get("/internal/v1/charges/due", params=stranger, headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "booking-not-found")
    house.clock.advance(timedelta(minutes=15))
    late = await house.client.get("/internal/v1/charges/due", params=params, headers=headers)
    assert (late.status_code, late.json()["code"]) == (409, "charge-not-due")


async def test_a_promo_use_that_can_never_be_consumed_is_not_asked_for_again(house: Any) -> None:
    house.payment.add_code("WELCOME", 1_000)
    booking = await house.place(house.body(promo_code="WELCOME"))
    house.payment.refuse_settling = True
    await house.pay(booking)
    assert (await house.read(booking["id"]))["status"] == "confirmed"
    assert await house.rows("SELECT 1 FROM errand") == []
    (note,) = await house.rows("SELECT detail FROM timeline WHERE kind = 'consume_promo_refused'")
    assert note["detail"] == {"reason": "promo-use-settled"}
