"""Events leave through the outbox and the broker."""

from typing import Any

import aio_pika

from auth_service.worker import create_worker
from rihla.contracts.events import Envelope, UserRegisteredV1
from rihla.http import ServiceClient
from rihla.testing import eventually, running


async def test_a_registration_reaches_the_broker_once_it_committed(auth: Any, namespace: str) -> None:
    settings = auth.settings.model_copy(update={"namespace": namespace})
    connection = await aio_pika.connect(settings.amqp_url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(f"{namespace}.auth", aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, "user.#")
        person = await auth.registered()
        client = ServiceClient("http://unset.invalid", audience="notification", signer=auth.keyring.signer("auth"))
        async with running(create_worker(settings, clock=auth.clock, client=client)) as worker:
            ready = await worker.get("/health/ready")
            assert ready.json()["checks"] == {"database": "ok", "broker": "ok"}
            message = await eventually(lambda: queue.get(fail=False), what="the event")
            assert message is not None
            await message.ack()
    envelope = Envelope.model_validate_json(message.body)
    event = envelope.parse()
    assert isinstance(event, UserRegisteredV1)
    assert (event.user_id, event.email, envelope.sequence) == (person.id, "amina@example.com", 1)
    assert await auth.sql("SELECT 1 FROM outbox") == []
