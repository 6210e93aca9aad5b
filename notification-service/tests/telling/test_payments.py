from datetime import time, timedelta
from typing import Any

from notification_service.preferences.rules import Preferences
from notification_service.preferences.store import save_preferences
from rihla.contracts.events import FlightDelayedV1, PaymentSucceededV1, RefundFailedV1
from rihla.kernel import new_id


def failed(trip: Any, clock: Any) -> RefundFailedV1:
    return RefundFailedV1(
        refund_id=new_id(),
        booking_id=trip.booking_id,
        user_id=trip.user_id,
        amount_minor=1234,
        currency="USD",
        reason="cancellation",
        failure_code="card_closed",
        failed_at=clock.now(),
    )


async def test_money_for_a_booking_is_left_to_its_confirmation_and_any_other_is_told(
    stack: Any, trip: Any, clock: Any
) -> None:
    facts = {"user_id": trip.user_id, "amount_minor": 5000, "currency": "USD", "method": "card"}
    for booking_id in (trip.booking_id, None):
        paid = PaymentSucceededV1(payment_id=new_id(), booking_id=booking_id, captured_at=clock.now(), **facts)
        await stack.hear(paid, subject=paid.payment_id)
    told = await stack.rows("SELECT booking_id, kind FROM notice")
    assert [tuple(one) for one in told] == [(None, "payment_received")]
    assert len(await stack.rows("SELECT event_id FROM inbox")) == 1


async def test_a_refund_that_failed_is_told_in_kind_words_and_once(stack: Any, trip: Any, box: Any, clock: Any) -> None:
    await stack.hear(trip.created(clock.now()), subject=trip.booking_id, sequence=1)
    refund = failed(trip, clock)
    await stack.hear(refund, subject=refund.refund_id)
    await stack.hear(refund, subject=refund.refund_id)
    await stack.send()
    (mail,) = box.to(trip.email)
    words = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "Your refund of $12.34 takes a little longer"
    assert "You have lost nothing" in words
    assert "card_closed" not in words


async def test_what_is_not_urgent_does_not_ring_at_night_and_a_delay_does(
    stack: Any, trip: Any, box: Any, clock: Any
) -> None:
    """It is 14:00 in Dhaka; the traveller rests until 15:30."""
    wishes = Preferences(quiet_from=time(13, 0), quiet_to=time(15, 30), time_zone="Asia/Dhaka")
    async with stack.container.db.transaction() as session:
        await save_preferences(session, trip.user_id, wishes, clock.now())
    await stack.rows(
        "INSERT INTO device (id, user_id, platform, token, registered_at) VALUES "
        "(:id, :user_id, 'android', 'token-1', now()) RETURNING 1",
        id=new_id(),
        user_id=trip.user_id,
    )
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    refund = failed(trip, clock)
    await stack.hear(refund, subject=refund.refund_id)
    news = FlightDelayedV1(
        flight_id=trip.flight_id,
        flight_number="RQ101",
        airline="RQ",
        origin="DAC",
        destination="JED",
        departure_at=trip.departure_at,
        arrival_at=trip.departure_at,
        delay_minutes=45,
        occurred_at=clock.now(),
    )
    await stack.hear(news, subject=trip.flight_id, sequence=1)
    await stack.send()
    rung = [mail["Subject"] for mail in box.to("token-1@push.local")]
    assert rung == ["Flight RQ101 is delayed by 45 minutes"]
    clock.advance(timedelta(minutes=90))
    await stack.send()
    rung = [mail["Subject"] for mail in box.to("token-1@push.local")]
    assert len(rung) == 3
    assert "Your refund of $12.34 takes a little longer" in rung
