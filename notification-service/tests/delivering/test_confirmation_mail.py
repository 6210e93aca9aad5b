from datetime import timedelta
from typing import Any

import aio_pika
from aio_pika.exceptions import ChannelClosed

from notification_service.delivering.store import LEASE, claim_due
from notification_service.telling.facts import message_id
from notification_service.worker import create_worker
from rihla.contracts.events import BookingCancelledV1, Envelope
from rihla.kernel import FixedClock, SystemClock
from rihla.messaging import Broker
from rihla.testing import eventually, running

PDF = b"%PDF-1.7 a ticket"


def attachments(mail: Any) -> dict[str, bytes]:
    return {part.get_filename(): part.get_content() for part in mail.iter_attachments()}


async def test_the_confirmation_waits_for_the_ticket_and_attaches_it(stack: Any, trip: Any, box: Any) -> None:
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    assert await stack.send() == 0
    await stack.container.storage.put("bookings/x/tickets.pdf", PDF, media_type="application/pdf")
    await stack.hear(trip.ready("bookings/x/tickets.pdf"), subject=trip.booking_id, sequence=3)
    assert await stack.send() == 1
    (mail,) = box.to("amina@example.com")
    assert attachments(mail) == {"K7QX2M-tickets.pdf": PDF}
    assert "K7QX2M" in mail["Subject"]
    html = mail.get_body(("html",)).get_content()
    text = mail.get_body(("plain",)).get_content()
    for twin in (html, text):
        assert "K7QX2M" in twin
        assert "আব্দুল করিম" in twin
        assert "$612.40" in twin
        assert f"https://rihla.test/v1/bookings/{trip.booking_id}" in twin
    assert "cid:booking-qr" in html


async def test_a_ticket_that_was_ready_first_goes_out_at_once(stack: Any, trip: Any, box: Any) -> None:
    await stack.container.storage.put("bookings/x/tickets.pdf", PDF, media_type="application/pdf")
    await stack.hear(trip.ready("bookings/x/tickets.pdf"), subject=trip.booking_id, sequence=3)
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    assert await stack.send() == 1
    assert attachments(box.mails[0]) == {"K7QX2M-tickets.pdf": PDF}


async def test_documents_that_are_late_become_a_link(stack: Any, trip: Any, box: Any, clock: FixedClock) -> None:
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    clock.advance(timedelta(seconds=29))
    assert await stack.send() == 0
    clock.advance(timedelta(seconds=1))
    assert await stack.send() == 1
    (mail,) = box.mails
    assert attachments(mail) == {}
    link = f"https://rihla.test/v1/bookings/{trip.booking_id}/documents"
    assert link in mail.get_body(("plain",)).get_content().replace("=\n", "")
    await stack.hear(trip.ready("bookings/x/tickets.pdf"), subject=trip.booking_id, sequence=3)
    assert await stack.send() == 0


async def test_in_a_rush_the_mail_waits_as_long_as_the_papers_are_promised(
    stack: Any, trip: Any, box: Any, clock: FixedClock
) -> None:
    promised = clock.now() + timedelta(hours=1)
    confirmed = trip.confirmed().model_copy(update={"documents_by": promised})
    await stack.hear(confirmed, subject=trip.booking_id, sequence=2)
    clock.advance(timedelta(minutes=59))
    assert await stack.send() == 0
    await stack.container.storage.put("bookings/x/tickets.pdf", PDF, media_type="application/pdf")
    await stack.hear(trip.ready("bookings/x/tickets.pdf"), subject=trip.booking_id, sequence=3)
    assert await stack.send() == 1
    assert attachments(box.mails[0]) == {"K7QX2M-tickets.pdf": PDF}


async def test_a_promise_of_papers_that_is_not_kept_does_not_keep_the_mail(
    stack: Any, trip: Any, box: Any, clock: FixedClock
) -> None:
    confirmed = trip.confirmed().model_copy(update={"documents_by": clock.now() + timedelta(hours=1)})
    await stack.hear(confirmed, subject=trip.booking_id, sequence=2)
    clock.advance(timedelta(hours=1))
    assert await stack.send() == 1
    assert attachments(box.mails[0]) == {}


async def test_the_same_event_and_the_same_fact_under_another_id_make_one_mail(stack: Any, trip: Any, box: Any) -> None:
    envelope = await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    assert await stack.consumer.handle(envelope) == "repeated"
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    ready = await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    await stack.consumer.handle(ready)
    await stack.send()
    assert len(box.mails) == 1
    assert await stack.rows("SELECT 1 FROM notice") == [(1,)]


async def test_the_message_id_of_a_fact_is_always_the_same(stack: Any, trip: Any, box: Any) -> None:
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    await stack.send()
    fact = f"booking_confirmed:{trip.booking_id}"
    expected = message_id(fact, trip.user_id, "email", trip.email, domain="rihla.local")
    assert box.mails[0]["Message-ID"] == expected


async def test_the_mail_server_is_down_and_back_and_nothing_is_lost_or_doubled(
    stack: Any, trip: Any, mail_server: Any, clock: FixedClock
) -> None:
    trips = [type(trip)() for _ in range(5)]
    for trip in trips:
        await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
        await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    await mail_server.stop()
    for _ in range(10):
        await stack.container.delivery_sender.send_due()
        clock.advance(timedelta(minutes=1))
    states = await stack.rows("SELECT state, attempts > 1, last_error <> '' FROM delivery")
    assert states == [("queued", True, True)] * 5
    await mail_server.start()
    clock.advance(timedelta(minutes=6))
    await stack.send()
    await stack.send()
    assert len(mail_server.box.mails) == 5
    assert len({mail["Message-ID"] for mail in mail_server.box.mails}) == 5
    assert {row.state for row in await stack.rows("SELECT state FROM delivery")} == {"sent"}


async def test_a_server_that_says_later_gets_it_later_once(stack: Any, trip: Any, box: Any, clock: FixedClock) -> None:
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    box.answers = ["451 4.7.1 greylisted"]
    await stack.container.delivery_sender.send_due()
    assert box.mails == []
    clock.advance(timedelta(seconds=10))
    await stack.send()
    assert len(box.mails) == 1


async def test_an_address_that_bounces_is_a_dead_letter_with_its_reason(stack: Any, trip: Any, box: Any) -> None:
    box.refused = {"amina@example.com"}
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    await stack.send()
    ((state, error),) = await stack.rows("SELECT state, last_error FROM delivery")
    assert state == "dead"
    assert "550" in error


async def test_a_worker_that_died_while_sending_is_replaced_under_the_same_message_id(
    stack: Any, trip: Any, box: Any, clock: FixedClock
) -> None:
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.hear(trip.ready("k"), subject=trip.booking_id, sequence=3)
    async with stack.container.db.transaction() as session:
        (lost,) = await claim_due(session, now=clock.now(), most=10)
    assert await stack.send() == 0
    clock.advance(LEASE)
    assert await stack.send() == 1
    assert box.mails[0]["Message-ID"] == lost.message_id


async def test_a_confirmation_that_comes_after_the_cancellation_is_not_sent(
    stack: Any, trip: Any, box: Any, clock: FixedClock
) -> None:
    cancelled = BookingCancelledV1(**trip.common(), cancelled_at=clock.now())
    await stack.hear(cancelled, subject=trip.booking_id, sequence=4)
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    await stack.send()
    assert [mail["Subject"] for mail in box.mails] == ["Your booking K7QX2M is cancelled"]


async def test_the_worker_mails_the_ticket_and_puts_aside_what_it_cannot_read(
    settings: Any, trip: Any, box: Any
) -> None:
    trip.locale = "xx-Unknown"
    app = create_worker(settings)
    async with running(app) as client:
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="booking")
        channel = await broker.channel()
        exchange = await broker.exchange(channel, "booking")
        await eventually(lambda: _bound(broker, settings.namespace))
        nameless = {**trip.confirmed().model_dump(mode="json"), "booking_id": "no uuid"}
        poison = Envelope.of(trip.confirmed(), subject="x", sequence=1, time=SystemClock().now())
        for body in (b"no json at all", poison.model_copy(update={"data": nameless}).model_dump_json().encode()):
            await exchange.publish(aio_pika.Message(body), routing_key="booking.confirmed.v1")
        await app.state.container.storage.put("k/tickets.pdf", PDF, media_type="application/pdf")
        for sequence, event in ((2, trip.confirmed()), (3, trip.ready("k/tickets.pdf"))):
            envelope = Envelope.of(event, subject=str(trip.booking_id), sequence=sequence, time=SystemClock().now())
            await exchange.publish(aio_pika.Message(envelope.model_dump_json().encode()), routing_key=envelope.type)
        await eventually(lambda: box.mails)
        assert attachments(box.mails[0]) == {"K7QX2M-tickets.pdf": PDF}
        assert box.mails[0]["Subject"] == "Your booking K7QX2M is confirmed"
        aside = await channel.declare_queue(f"{settings.namespace}.notification.dead", passive=True)
        reasons = set()
        for _ in range(2):
            message = await eventually(lambda: aside.get(fail=False))
            reasons.add(message.body[:7])
            assert message.headers["x-reason"]
            await message.ack()
        assert reasons == {b"no json", poison.model_dump_json().encode()[:7]}
        assert (await client.get("/health/ready")).status_code == 200
        await broker.close()


async def _bound(broker: Any, namespace: str) -> bool:
    """The worker declared its queue and bindings: the last exchange it binds exists."""
    channel = await broker.channel(confirms=False)
    try:
        await channel.declare_queue(f"{namespace}.notification", passive=True)
        await channel.get_exchange(f"{namespace}.auth")
    except ChannelClosed:
        return False
    await channel.close()
    return True
