import asyncio
from datetime import datetime, timedelta
from typing import Any

import aio_pika
import pytest
from aiohttp import web

from notification_service.bootstrap import open_container
from notification_service.partner_webhooks.outgoing_store import LEASE
from notification_service.worker import create_worker
from rihla.contracts.events import Envelope, UserRegisteredV1
from rihla.kernel import SystemClock
from rihla.messaging import Broker
from rihla.testing import eventually, running

DAYS = timedelta(days=1)


async def send(stack: Any) -> int:
    return int(await stack.container.webhook_sender.send_due())


async def try_out(partner: Any, endpoint: Any) -> Any:
    answer = await partner.call("POST", f"/{endpoint['id']}/test")
    assert answer.status_code == 202, answer.text
    return answer.json()


async def one(partner: Any, endpoint: Any) -> Any:
    (delivery,) = await partner.deliveries(endpoint)
    return delivery


async def test_a_failure_is_tried_again_under_the_same_id_until_it_is_taken(
    partner: Any, receiver: Any, stack: Any, clock: Any
) -> None:
    made = await partner.endpoint(receiver.url)
    receiver.answers = [500]
    await try_out(partner, made)
    await send(stack)
    failed = await one(partner, made)
    assert (failed["state"], failed["response_status"], failed["response_excerpt"]) == (
        "queued",
        500,
        "said by the shop",
    )
    assert failed["next_attempt_at"] > clock.now().isoformat()
    assert (await partner.call("GET", f"/{made['id']}")).json()["failing_since"] is not None
    assert await send(stack) == 0, "not before its time"
    clock.advance(timedelta(seconds=6))
    await send(stack)
    first, second = receiver.calls
    assert (first.id, first.body) == (second.id, second.body)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    taken = await one(partner, made)
    assert (taken["state"], taken["attempts"], taken["last_error"]) == ("delivered", 2, None)
    assert (await partner.call("GET", f"/{made['id']}")).json()["failing_since"] is None


async def test_an_endpoint_that_asks_for_a_pause_gets_it(partner: Any, receiver: Any, stack: Any, clock: Any) -> None:
    made = await partner.endpoint(receiver.url)
    receiver.answers = [lambda: web.Response(status=503, headers={"retry-after": "600"})]
    await try_out(partner, made)
    await send(stack)
    clock.advance(timedelta(seconds=599))
    assert await send(stack) == 0
    clock.advance(timedelta(seconds=1))
    assert await send(stack) == 1


async def test_no_answer_in_time_is_a_failure(partner: Any, receiver: Any, settings: Any, clock: Any) -> None:
    made = await partner.endpoint(f"{receiver.url}/slow")
    await try_out(partner, made)
    hasty = settings.model_copy(update={"webhook_timeout_seconds": 0.2})
    async with open_container(hasty, clock) as c:
        await c.webhook_sender.send_due()
    failed = await one(partner, made)
    assert (failed["state"], failed["response_status"]) == ("queued", None)
    assert failed["last_error"] == "no answer within 0.2 seconds"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(partner: Any, receiver: Any, stack: Any, status: int) -> None:
    made = await partner.endpoint(receiver.url)
    receiver.answers = [lambda: web.Response(status=status, headers={"location": f"{receiver.url}/elsewhere"})]
    await try_out(partner, made)
    await send(stack)
    assert [call.path for call in receiver.calls] == ["/"]
    failed = await one(partner, made)
    assert (failed["state"], failed["last_error"]) == ("queued", "redirects are not followed")


async def test_an_answer_without_end_is_read_no_further_than_its_beginning(
    partner: Any, receiver: Any, stack: Any
) -> None:
    endless = b"a" * 3_000_000
    receiver.answers = [lambda: web.Response(status=500, body=b"\x00\xff<b> " + endless)]
    made = await partner.endpoint(receiver.url)
    await try_out(partner, made)
    await send(stack)
    failed = await one(partner, made)
    assert failed["response_excerpt"].endswith("<b> aaaaaaaa" + "a" * (200 - len("?\ufffd<b> aaaaaaaa")))
    assert len(failed["response_excerpt"]) == 200


async def test_an_endpoint_that_is_gone_is_disabled_and_its_owner_told(
    partner: Any, receiver: Any, stack: Any, box: Any, clock: Any
) -> None:
    person = UserRegisteredV1(
        user_id=partner.user_id, email="owner@example.com", full_name="Nadia", registered_at=clock.now()
    )
    await stack.hear(person, subject=partner.user_id)
    made = await partner.endpoint(f"{receiver.url}/a-secret-path")
    for _ in range(6):
        await try_out(partner, made)
    receiver.answers = [410] * 6
    await stack.container.webhook_sender.begin_due()
    await eventually(lambda: _settled(stack))
    read = (await partner.call("GET", f"/{made['id']}")).json()
    assert (read["enabled"], read["disabled_reason"]) == (False, "gone")
    assert {(found["state"]) for found in await partner.deliveries(made)} == {"dead"}
    assert len(receiver.calls) <= 4, "what was waiting was given up"
    await stack.send()
    mails = [mail for mail in box.to("owner@example.com") if "127.0.0.1" in mail["Subject"]]
    assert len(mails) == 1
    assert "a-secret-path" not in str(mails[0])
    for path in ("/test", f"/deliveries/{(await partner.deliveries(made))[0]['id']}/resend"):
        answer = await partner.call("POST", f"/{made['id']}{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "webhook-endpoint-disabled")


async def _settled(stack: Any) -> bool:
    return not await stack.rows("SELECT 1 FROM webhook_delivery WHERE state IN ('queued', 'sending')")


async def test_an_endpoint_that_took_nothing_for_three_days_is_disabled(
    partner: Any, receiver: Any, stack: Any, clock: Any
) -> None:
    made = await partner.endpoint(receiver.url)
    receiver.answers = [500] * 100
    await try_out(partner, made)
    began = clock.now()
    while (found := await one(partner, made))["state"] == "queued":
        clock.advance(max(datetime.fromisoformat(found["next_attempt_at"]) - clock.now(), timedelta(0)))
        await send(stack)
    assert timedelta(days=2.6) < clock.now() - began < timedelta(days=3.5)
    assert (found["state"], found["attempts"]) == ("dead", 10)
    read = (await partner.call("GET", f"/{made['id']}")).json()
    assert (read["enabled"], read["disabled_reason"]) == (False, "failing")
    await partner.call("PATCH", f"/{made['id']}", json={"enabled": True})
    receiver.answers = []
    again = await partner.call("POST", f"/{made['id']}/deliveries/{found['id']}/resend")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    await send(stack)
    assert ((await one(partner, made))["state"], len(receiver.calls)) == ("delivered", 11)
    assert len({call.id for call in receiver.calls}) == 1


async def test_one_message_nobody_can_read_does_not_end_an_endpoint_that_takes_others(
    partner: Any, receiver: Any, stack: Any, clock: Any
) -> None:
    made = await partner.endpoint(receiver.url)
    first = await try_out(partner, made)
    for _ in range(10):
        receiver.answers = [400]
        assert await send(stack) == 1
        await try_out(partner, made)
        assert await send(stack) == 1, "the other one is taken"
        clock.advance(DAYS)
    states = {found["id"]: found["state"] for found in await partner.deliveries(made)}
    assert states.pop(first["id"]) == "dead"
    assert set(states.values()) == {"delivered"}
    assert (await partner.call("GET", f"/{made['id']}")).json()["enabled"] is True


async def test_during_a_rotation_both_secrets_sign_and_then_only_the_new_one(
    partner: Any, receiver: Any, stack: Any, clock: Any
) -> None:
    made = await partner.endpoint(receiver.url)
    rotated = (await partner.call("POST", f"/{made['id']}/rotate-secret", json={"overlap_hours": 24})).json()
    await try_out(partner, made)
    await send(stack)
    clock.advance(DAYS)
    await try_out(partner, made)
    await send(stack)
    during, after = receiver.calls
    assert during.signed_by(made["secret"])
    assert during.signed_by(rotated["secret"])
    assert (after.signed_by(made["secret"]), after.signed_by(rotated["secret"])) == (False, True)
    at_once = (await partner.call("POST", f"/{made['id']}/rotate-secret", json={"overlap_hours": 0})).json()
    assert at_once["previous_secret_until"] is None
    await try_out(partner, made)
    await send(stack)
    assert receiver.calls[-1].signed_by(at_once["secret"])
    assert " " not in receiver.calls[-1].headers["webhook-signature"]


async def test_two_workers_call_once_for_each_message(
    partner: Any, receiver: Any, stack: Any, settings: Any, clock: Any
) -> None:
    for n in range(5):
        made = await partner.endpoint(f"{receiver.url}/{n}")
        for _ in range(4):
            await try_out(partner, made)
    seen = "SELECT id FROM webhook_delivery WHERE state = 'queued'"
    unguarded = await asyncio.gather(stack.rows(seen), stack.rows(seen))
    assert [len(rows) for rows in unguarded] == [20, 20], "who only looks sees what the other one sees"
    async with open_container(settings, clock) as second:
        counts = await asyncio.gather(*(c.webhook_sender.send_due() for c in (stack.container, second)))
    assert sum(counts) == 20
    assert len(receiver.calls) == len({call.id for call in receiver.calls}) == 20


async def test_a_worker_that_died_after_the_call_is_replaced_under_the_same_id(
    partner: Any, receiver: Any, stack: Any, clock: Any, monkeypatch: Any
) -> None:
    made = await partner.endpoint(receiver.url)
    await try_out(partner, made)

    async def dies(*_: Any) -> None:
        raise ConnectionError("the worker died before its commit")

    with monkeypatch.context() as patched:
        patched.setattr(stack.container.webhook_sender, "_record", dies)
        await send(stack)
    assert (await one(partner, made))["state"] == "sending"
    busy = await partner.call("POST", f"/{made['id']}/deliveries/{(await one(partner, made))['id']}/resend")
    assert (busy.status_code, busy.json()["code"]) == (409, "delivery-busy")
    assert await send(stack) == 0
    clock.advance(LEASE)
    assert await send(stack) == 1
    first, second = receiver.calls
    assert (first.id, first.body) == (second.id, second.body)
    assert (await one(partner, made))["state"] == "delivered"


async def test_a_name_that_turns_inside_after_it_was_checked_is_not_called(
    partner: Any, receiver: Any, stack: Any, settings: Any, clock: Any
) -> None:
    """DNS rebinding, an address written as one, and the control: the same call where everything is allowed."""
    answers = ["93.184.216.34"]

    async def lookup(host: str, port: int) -> Any:
        return [(2, 1, 6, "", (answers[0], port))]

    port = receiver.url.rpartition(":")[2]
    strict = settings.model_copy(update={"webhook_local_targets": False})
    async with (
        open_container(strict, clock, lookup=lookup) as c,
        open_container(settings, clock, lookup=lookup) as free,
    ):
        await c.webhook_endpoints.addresses.check("shop.example", 443)
        answers[0] = "127.0.0.1"
        for url in (f"http://shop.example:{port}/hook", f"http://127.0.0.1:{port}/hook"):
            made = await partner.endpoint(receiver.url)
            await stack.rows("UPDATE webhook_endpoint SET url = :url RETURNING 1", url=url)
            await try_out(partner, made)
            await c.webhook_sender.send_due()
            assert receiver.calls == []
            refused = await one(partner, made)
            assert (refused["state"], refused["last_error"]) == ("queued", "the address is not on the public network")
            clock.advance(timedelta(seconds=6))
            assert await free.webhook_sender.send_due() == 1
            assert len(receiver.calls) == 1
            receiver.calls.clear()
            await partner.call("DELETE", f"/{made['id']}")


async def test_a_slow_partner_keeps_neither_others_waiting_nor_more_than_its_share(
    partner: Any, other: Any, receiver: Any, settings: Any, clock: Any
) -> None:
    slow, quick = await partner.endpoint(f"{receiver.url}/slow"), await other.endpoint(f"{receiver.url}/quick")
    for _ in range(12):
        await try_out(partner, slow)
    patient = settings.model_copy(update={"webhook_timeout_seconds": 300.0})
    stop = asyncio.Event()
    async with open_container(patient, clock) as c:
        working = asyncio.create_task(c.webhook_sender.run(stop))
        await eventually(lambda: receiver.at_once == 4)
        for n in range(1, 4):
            await try_out(other, quick)
            c.webhook_sender.nudge()
            await eventually(lambda n=n: len(receiver.at("/quick")) == n)
        assert (receiver.at_once, receiver.most_at_once) == (4, 4)
        assert len(receiver.at("/slow")) == 4
        receiver.held.set()
        await eventually(lambda: len(receiver.at("/slow")) == 12)
        stop.set()
        await working
    assert {found["state"] for found in await partner.deliveries(slow)} == {"delivered"}
    assert receiver.most_at_once == 4


async def test_the_worker_takes_an_event_from_the_broker_to_the_partner(
    settings: Any, partner: Any, receiver: Any, trip: Any
) -> None:
    await partner.endpoint(receiver.url)
    partner.booked(trip)
    app = create_worker(settings)
    async with running(app):
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="booking")
        exchange = await broker.exchange(await broker.channel(), "booking")
        consumer = f"{settings.namespace}.notification"
        envelope = Envelope.of(trip.confirmed(), subject=str(trip.booking_id), sequence=2, time=SystemClock().now())
        message = aio_pika.Message(envelope.model_dump_json().encode())

        async def told() -> bool:
            # Published until the worker has bound its queue; it is told once all the same.
            await exchange.publish(message, routing_key=envelope.type)
            return bool(receiver.calls)

        await eventually(told, every=0.2, what=f"a webhook of {consumer}")
        await broker.close()
    assert len(receiver.calls) == 1
