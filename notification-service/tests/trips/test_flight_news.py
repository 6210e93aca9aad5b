from typing import Any

from rihla.contracts.events import FlightDelayedV1, FlightGateChangedV1, RefundSucceededV1
from rihla.kernel import new_id


async def test_a_delay_rings_on_every_channel_of_everybody_booked_once(
    stack: Any, trip: Any, box: Any, clock: Any
) -> None:
    trip.phone = "+8801712345678"
    other = type(trip)()
    other.flight_id, other.email = trip.flight_id, "karim@example.com"
    for one in (trip, other):
        await stack.hear(one.confirmed(), subject=one.booking_id, sequence=2)
    delay = FlightDelayedV1(**trip.news(clock.now(), delay_minutes=45))
    await stack.hear(delay, subject=trip.flight_id, sequence=1)
    await stack.hear(delay, subject=trip.flight_id, sequence=2)
    await stack.send()
    told = [mail for mail in box.mails if "45" in mail["Subject"] or "45" in mail.get_body(("plain",)).get_content()]
    assert sorted(mail["To"] for mail in told) == [
        "+8801712345678@sms.local",
        "amina@example.com",
        "karim@example.com",
    ]
    text = box.to("karim@example.com")[0].get_body(("plain",)).get_content()
    assert "Dhaka (DAC)" in text


async def test_older_news_of_a_flight_changes_nothing(stack: Any, trip: Any, box: Any, clock: Any) -> None:
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    gate = FlightGateChangedV1(**trip.news(clock.now(), gate="B7", terminal="2"))
    await stack.hear(gate, subject=trip.flight_id, sequence=5)
    old = FlightGateChangedV1(**trip.news(clock.now(), gate="A1", terminal="2"))
    await stack.hear(old, subject=trip.flight_id, sequence=4)
    await stack.send()
    assert ["B7" in mail["Subject"] for mail in box.to(trip.email)] == [True]


async def test_nobody_is_told_about_a_flight_of_a_booking_that_ended(
    stack: Any, trip: Any, box: Any, clock: Any
) -> None:
    await stack.hear(trip.created(clock.now()), subject=trip.booking_id, sequence=1)
    await stack.hear(FlightDelayedV1(**trip.news(clock.now(), delay_minutes=45)), subject=trip.flight_id, sequence=1)
    await stack.send()
    assert box.mails == []


async def test_a_refund_is_told_to_the_contact_of_the_booking(stack: Any, trip: Any, box: Any, clock: Any) -> None:
    await stack.hear(trip.created(clock.now()), subject=trip.booking_id, sequence=1)
    refund = RefundSucceededV1(
        refund_id=new_id(),
        booking_id=trip.booking_id,
        user_id=trip.user_id,
        amount_minor=1234,
        currency="USD",
        reason="cancellation",
        refunded_at=clock.now(),
    )
    await stack.hear(refund, subject=refund.refund_id)
    await stack.hear(refund, subject=refund.refund_id)
    await stack.send()
    (mail,) = box.to(trip.email)
    assert "$12.34" in mail["Subject"]
