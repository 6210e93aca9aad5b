"""The worker: its loops over real servers."""

from typing import Any
from uuid import UUID

import aio_pika
import pytest

from payment_service.worker import create_worker
from rihla.contracts.events import Envelope, UserRegisteredV1
from rihla.messaging import Broker, OutboxRelay
from rihla.testing import eventually, running

Stack = Any


def card(number: str = "4242424242424242") -> dict[str, Any]:
    return {
        "type": "card",
        "provider": "sandbox",
        "card": {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"},
    }


@pytest.fixture
def broker_namespace(namespace: str) -> str:
    return namespace


async def listen(stack: Stack, broker: Broker, received: list[Envelope]) -> None:
    """Bind a queue of the test's own to everything payment-service says."""
    channel = await broker.channel()
    queue = await channel.declare_queue(exclusive=True)
    await queue.bind(await broker.exchange(channel, "payment"), "#")

    async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        received.append(Envelope.model_validate_json(message.body))
        await message.ack()

    await queue.consume(take)


async def test_a_success_leaves_the_outbox_at_once_and_the_worker_is_ready(
    stack: Stack, user_id: UUID, amqp_url: str
) -> None:
    broker = await Broker.connect(amqp_url, namespace=stack.settings.namespace, service="test")
    received: list[Envelope] = []
    await listen(stack, broker, received)
    async with running(create_worker(stack.settings, clock=stack.clock, transports=stack.transports)) as worker:
        await stack.pay(user_id, stack.booking.add_charge(user_id), card())
        await eventually(lambda: received)
        assert received[0].type == "payment.succeeded.v1"
        assert await eventually(lambda: sealed(stack)), "the sealer links new postings"
        ready = await worker.get("/health/ready")
        assert ready.status_code == 200, ready.text
        assert set(ready.json()["checks"]) >= {"database", "broker", "ledger"}
    await broker.close()


async def sealed(stack: Stack) -> bool:
    return not await stack.sql("SELECT 1 FROM ledger_unsealed") and bool(await stack.sql("SELECT 1 FROM ledger_link"))


async def test_a_registration_that_is_delivered_twice_grants_coins_once(
    stack: Stack, user_id: UUID, amqp_url: str
) -> None:
    event = UserRegisteredV1(user_id=user_id, full_name="Amina Rahman", registered_at=stack.clock.now())
    envelope = Envelope.of(event, subject=str(user_id), sequence=1, time=stack.clock.now())
    again = Envelope.of(event, subject=str(user_id), sequence=2, time=stack.clock.now())
    broker = await Broker.connect(amqp_url, namespace=stack.settings.namespace, service="test")
    async with running(create_worker(stack.settings, clock=stack.clock, transports=stack.transports)):
        channel = await broker.channel()
        exchange = await broker.exchange(channel, "auth")
        await eventually(lambda: queue_is_there(broker, f"{stack.settings.namespace}.payment"))
        for item in (envelope, envelope, again):
            message = aio_pika.Message(item.model_dump_json().encode(), message_id=str(item.id), type=item.type)
            await exchange.publish(message, routing_key=item.type)
        await eventually(lambda: handled(stack, 2))
    rows = await stack.sql("SELECT balance FROM ledger_account WHERE owner_id = $1", user_id)
    assert [row["balance"] for row in rows] == [1500]
    await broker.close()


async def queue_is_there(broker: Broker, name: str) -> bool:
    channel = await broker.channel()
    try:
        queue = await channel.declare_queue(name, passive=True)
    except aio_pika.exceptions.ChannelClosed:
        return False
    await channel.close()
    return queue.declaration_result.consumer_count > 0


async def handled(stack: Stack, count: int) -> bool:
    return len(await stack.sql("SELECT 1 FROM inbox")) >= count


async def test_events_wait_in_the_outbox_while_the_broker_is_away(stack: Stack, user_id: UUID, amqp_url: str) -> None:
    await stack.pay(user_id, stack.booking.add_charge(user_id), card())
    assert len(await stack.sql("SELECT 1 FROM outbox")) == 1
    broker = await Broker.connect(amqp_url, namespace=stack.settings.namespace, service="payment")
    relay = OutboxRelay(stack.container.db, broker, producer="payment", clock=stack.clock)
    assert await relay.drain() == 1
    assert await stack.sql("SELECT 1 FROM outbox") == []
    await broker.close()


async def test_the_api_is_ready_and_alive(stack: Stack) -> None:
    assert (await stack.client.get("/health/live")).json() == {"status": "ok"}
    assert (await stack.client.get("/health/ready")).json()["checks"] == {"database": "ok", "ledger": "ok"}
