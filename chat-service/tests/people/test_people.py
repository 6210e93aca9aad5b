from typing import Any

import aio_pika
import pytest

from chat_service.sweeping import Sweeper
from chat_service.worker import create_worker
from rihla.contracts.events import Envelope, UserDeletedV1, UserSuspendedV1
from rihla.contracts.events.subscribers import SUBSCRIBERS
from rihla.kernel import new_id
from rihla.messaging import Broker
from rihla.testing import eventually, running


async def test_a_deleted_person_leaves_nothing_that_names_them(stack: Any, clock: Any) -> None:
    me, other, agent = stack.person(), stack.person(), stack.person("support")
    for person in (me, other):
        place = await person.open()
        await person.say(place, "My name is Amina Rahman")
        await agent.say(place, "Dear Amina Rahman")
        ticket = {"client_id": "t", "category": "other", "subject": "About Amina", "body": "Amina Rahman writes"}
        await person.post("/v1/support/tickets", ticket)
        slot = (await person.get("/v1/support/callback-slots"))["items"][0]["slot_at"]
        call = {"phone": "+8801712345678", "slot_at": slot, "topic": "Amina"}
        await person.post("/v1/support/callbacks", call)
        await person.post("/v1/chat/assistant/questions", {"text": "Hello from Amina"})
        data = b"%PDF-1.7 Amina"
        body = {"kind": "document", "media_type": "application/pdf", "size_bytes": len(data), "file_name": "amina.pdf"}
        begun = await person.post("/v1/chat/attachments", body)
        await stack.client.put(begun["upload"]["url"], content=data)
        await person.post(f"/v1/chat/attachments/{begun['id']}/complete")
    await stack.hear(UserDeletedV1(user_id=me.id, deleted_at=clock.now()), subject=me.id, sequence=3)
    await Sweeper(stack.container).sweep()
    tables = await stack.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'account'"
    )
    mine, amina = 0, 0
    for (table,) in tables:
        for row in await stack.rows(f'SELECT CAST(t.* AS text) AS line FROM "{table}" AS t'):
            mine += str(me.id) in row.line
            amina += "amina" in row.line.lower()
    assert mine == 0
    assert amina > 0  # the other person's words are all there
    shown = (await agent.get("/v1/admin/chat/conversations"))["items"]
    texts = [
        [item["text"] for item in (await agent.get(f"/v1/chat/conversations/{one['id']}/messages"))["items"]]
        for one in shown
    ]
    assert sorted(texts) == [["My name is Amina Rahman", "Dear Amina Rahman"], ["[erased]", "[erased]"]]
    states = await stack.rows("SELECT state FROM attachment ORDER BY state")
    assert [row.state for row in states] == ["erased", "ready"]


async def test_a_suspended_person_cannot_write_and_a_late_event_changes_nothing(stack: Any) -> None:
    me = stack.person()
    place = await me.open()
    await stack.hear(UserSuspendedV1(user_id=me.id), subject=me.id, sequence=5)
    await stack.hear(UserSuspendedV1(user_id=me.id, suspended=False), subject=me.id, sequence=4)
    body = {"client_id": "x", "text": "hi"}
    for path, payload in (
        (f"/v1/chat/conversations/{place}/messages", body),
        ("/v1/support/tickets", {"client_id": "t", "category": "other", "subject": "abc", "body": "x"}),
        ("/v1/chat/assistant/questions", {"text": "hello there"}),
    ):
        answer = await me.call("POST", path, json=payload)
        assert (answer.status_code, answer.json()["code"]) == (403, "account-suspended"), path
    await stack.hear(UserSuspendedV1(user_id=me.id, suspended=False), subject=me.id, sequence=6)
    await me.say(place, "hi again")


@pytest.mark.parametrize("event", ["user.suspended.v1", "user.deleted.v1"])
def test_relays_declare_our_queue(event: str) -> None:
    assert "chat" in SUBSCRIBERS[event]


async def test_the_worker_hears_the_broker(settings: Any, stack: Any, clock: Any) -> None:
    me = stack.person()
    place = await me.open()
    async with running(create_worker(settings, clock=clock)) as worker:
        assert (await worker.get("/health/live")).status_code == 200
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="auth")
        channel = await broker.channel()
        exchange = await broker.exchange(channel, "auth")
        envelope = Envelope.of(UserSuspendedV1(user_id=me.id), subject=str(me.id), sequence=1, time=clock.now())

        async def refused() -> bool:
            message = aio_pika.Message(envelope.model_dump_json().encode(), message_id=str(envelope.id))
            await exchange.publish(message, routing_key=envelope.type, mandatory=False)
            answer = await me.call(
                "POST", f"/v1/chat/conversations/{place}/messages", json={"client_id": str(new_id()), "text": "hi"}
            )
            return bool(answer.status_code == 403)

        await eventually(refused)
        await broker.close()
