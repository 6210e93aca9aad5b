from typing import Any

from notification_service.partner_webhooks.consumers import PartnerConsumers
from rihla.contracts.events import (
    BookingCancelledV1,
    Envelope,
    FlightDelayedV1,
    FlightDepartedV1,
    RefundSucceededV1,
    UserDeletedV1,
)
from rihla.kernel import new_id

EVERYTHING = (
    "booking.confirmed",
    "booking.cancelled",
    "booking.documents_ready",
    "refund.succeeded",
    "flight.delayed",
)


async def test_a_partner_hears_of_its_booking_signed_thin_and_without_anything_personal(
    partner: Any, receiver: Any, stack: Any, trip: Any
) -> None:
    made = await partner.endpoint(f"{receiver.url}/hook?shop=1")
    await stack.hear(partner.booked(trip).confirmed(), subject=trip.booking_id, sequence=2)
    assert await stack.container.webhook_sender.send_due() == 1
    (call,) = receiver.calls
    assert call.signed_by(made["secret"])
    assert not call.signed_by("whsec_bm90IGl0IQ==")
    assert call.headers["Content-Type"] == "application/json"
    assert call.json == {
        "id": call.id,
        "type": "booking.confirmed",
        "timestamp": "2026-12-01T08:00:00Z",
        "mode": "test",
        "data": {
            "booking_id": str(trip.booking_id),
            "reference": "K7QX2M",
            "status": "confirmed",
            "sequence": 2,
            "url": f"https://rihla.test/v1/bookings/{trip.booking_id}",
        },
    }
    said = call.body.decode().replace(call.id, "").replace(str(trip.booking_id), "")
    for personal in ("amina", "Rahman", "করিম", "@", str(trip.user_id), "612", "9010"):
        assert personal not in said, "random ids aside, which may hold any digits"
    (delivery,) = await partner.deliveries(made)
    assert (delivery["state"], delivery["attempts"], delivery["response_status"]) == ("delivered", 1, 200)
    assert (delivery["message_id"], delivery["next_attempt_at"]) == (call.id, None)
    full = (await partner.call("GET", f"/{made['id']}/deliveries/{delivery['id']}")).json()
    assert full["payload"] == call.json


async def test_the_same_event_again_makes_one_delivery(partner: Any, receiver: Any, stack: Any, trip: Any) -> None:
    await partner.endpoint(receiver.url)
    envelope = await stack.hear(partner.booked(trip).confirmed(), subject=trip.booking_id, sequence=2)
    assert await stack.consumer.handle(envelope) == "repeated"
    await stack.rows("DELETE FROM inbox RETURNING 1")
    assert await stack.consumer.handle(envelope) == "handled", "without the inbox the unique fact still holds"
    await stack.container.webhook_sender.send_due()
    assert len(receiver.calls) == 1
    assert await stack.rows("SELECT count(*) FROM webhook_delivery") == [(1,)]


async def test_the_sender_is_woken_when_something_for_a_partner_is_stored_and_only_then(
    partner: Any, receiver: Any, stack: Any, trip: Any, clock: Any
) -> None:
    await partner.endpoint(receiver.url)
    woken: list[str] = []
    consumers = PartnerConsumers(clock, "https://rihla.test", lambda: woken.append("woken"))
    for booking, expected in ((type(trip)(), []), (partner.booked(trip), ["woken"])):
        envelope = Envelope.of(booking.confirmed(), subject=str(booking.booking_id), sequence=2, time=clock.now())
        async with stack.container.db.transaction() as session:
            await consumers.on_booking(session, envelope)
            assert woken == []
        assert woken == expected


async def test_bookings_of_people_and_of_other_organisations_are_not_told(
    partner: Any, other: Any, receiver: Any, stack: Any, trip: Any, clock: Any
) -> None:
    await partner.endpoint(receiver.url, *EVERYTHING)
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    theirs = other.booked(type(trip)())
    theirs.flight_id = trip.flight_id
    await stack.hear(theirs.confirmed(), subject=theirs.booking_id, sequence=2)
    await stack.hear(theirs.ready("k"), subject=theirs.booking_id, sequence=3)
    await stack.hear(FlightDelayedV1(**trip.news(clock.now(), delay_minutes=45)), subject=trip.flight_id)
    assert await stack.container.webhook_sender.send_due() == 0
    assert await stack.rows("SELECT 1 FROM webhook_event") == []


async def test_test_and_live_hear_of_their_own_bookings(partner: Any, receiver: Any, stack: Any, trip: Any) -> None:
    live = type(partner)(partner.client, partner.keyring, test_mode=False, organisation_id=partner.organisation_id)
    await partner.endpoint(f"{receiver.url}/test")
    await live.endpoint(f"{receiver.url}/live")
    sold = live.booked(type(trip)())
    await stack.hear(partner.booked(trip).confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(sold.confirmed(), subject=sold.booking_id, sequence=2)
    await stack.container.webhook_sender.send_due()
    told = {call.path: (call.json["mode"], call.json["data"]["booking_id"]) for call in receiver.calls}
    assert told == {"/test": ("test", str(trip.booking_id)), "/live": ("live", str(sold.booking_id))}


async def test_an_endpoint_hears_what_it_asked_for_and_two_hear_the_same_message(
    partner: Any, receiver: Any, stack: Any, trip: Any, clock: Any
) -> None:
    await partner.endpoint(f"{receiver.url}/all", *EVERYTHING)
    await partner.endpoint(f"{receiver.url}/some", "booking.cancelled")
    partner.booked(trip)
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    cancelled = BookingCancelledV1(**trip.common(), cancelled_at=clock.now(), whole=False)
    await stack.hear(cancelled, subject=trip.booking_id, sequence=3)
    await stack.container.webhook_sender.send_due()
    assert sorted(call.json["type"] for call in receiver.at("/all")) == ["booking.cancelled", "booking.confirmed"]
    (call,) = receiver.at("/some")
    assert call.json["data"]["status"] == "partially_cancelled"
    assert call.id in {one.id for one in receiver.at("/all")}


async def test_papers_refunds_and_flights_of_a_booking_are_told_to_its_partner(
    partner: Any, receiver: Any, stack: Any, trip: Any, clock: Any
) -> None:
    await partner.endpoint(receiver.url, *EVERYTHING[2:])
    await stack.hear(partner.booked(trip).confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    refund = RefundSucceededV1(
        refund_id=new_id(),
        booking_id=trip.booking_id,
        user_id=trip.user_id,
        amount_minor=100,
        currency="USD",
        reason="cancellation",
        refunded_at=clock.now(),
    )
    await stack.hear(refund, subject=refund.refund_id)
    await stack.hear(FlightDelayedV1(**trip.news(clock.now(), delay_minutes=45)), subject=trip.flight_id)
    await stack.hear(FlightDepartedV1(**trip.news(clock.now())), subject=trip.flight_id, sequence=2)
    await stack.container.webhook_sender.send_due()
    told = {call.json["type"]: call.json["data"] for call in receiver.calls}
    assert set(told) == set(EVERYTHING[2:])
    assert {one["booking_id"] for one in told.values()} == {str(trip.booking_id)}
    assert "status" not in told["booking.documents_ready"]
    assert (told["refund.succeeded"]["refund_id"], told["refund.succeeded"]["status"]) == (
        str(refund.refund_id),
        "succeeded",
    )
    assert (told["flight.delayed"]["flight_id"], told["flight.delayed"]["status"]) == (str(trip.flight_id), "delayed")
    assert all("k" not in one and "45" not in str(one.get("status")) for one in told.values())


async def test_the_end_of_an_organisation_or_an_endpoint_ends_what_was_waiting(
    partner: Any, other: Any, receiver: Any, stack: Any, trip: Any, clock: Any
) -> None:
    await partner.endpoint(receiver.url)
    removed, kept = await other.endpoint(f"{receiver.url}/removed"), await other.endpoint(f"{receiver.url}/kept")
    theirs = other.booked(type(trip)())
    await stack.hear(partner.booked(trip).confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(theirs.confirmed(), subject=theirs.booking_id, sequence=2)
    gone = UserDeletedV1(user_id=new_id(), deleted_at=clock.now(), ended_organisation_id=partner.organisation_id)
    await stack.hear(gone, subject=gone.user_id)
    assert (await other.call("DELETE", f"/{removed['id']}")).status_code == 204
    await stack.container.webhook_sender.send_due()
    assert [call.path for call in receiver.calls] == ["/kept"]
    assert (await partner.call("GET")).json()["items"] == []
    assert [str(row.id) for row in await stack.rows("SELECT id FROM webhook_endpoint")] == [kept["id"]]
    assert len(await stack.rows("SELECT 1 FROM webhook_event")) == 1
