"""Events repeated, delayed and reordered on their way through RabbitMQ."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import aio_pika

NAMESPACE = "rihla"
PRODUCERS = ("auth", "flight", "booking", "payment")


async def repeat(amqp_url: str, seconds: float, rng: random.Random) -> int:
    """Copy every event for so long and publish each copy once or twice more, late and in any order; how many."""
    connection = await aio_pika.connect(amqp_url, timeout=5)
    async with connection:
        channel = await connection.channel(publisher_confirms=False)
        queue = await channel.declare_queue("", exclusive=True)
        for producer in PRODUCERS:
            exchange = await channel.declare_exchange(
                f"{NAMESPACE}.{producer}", aio_pika.ExchangeType.TOPIC, durable=True
            )
            await queue.bind(exchange, "#")
        copies: list[aio_pika.abc.AbstractIncomingMessage] = []

        async def keep(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            copies.append(message)

        tag = await queue.consume(keep, no_ack=True)
        await asyncio.sleep(seconds)
        await queue.cancel(tag)
        again = [copy for copy in copies for _ in range(rng.randint(1, 2))]
        rng.shuffle(again)
        for copy in again:
            if copy.exchange:
                exchange = await channel.get_exchange(copy.exchange, ensure=False)
                await exchange.publish(_same(copy), copy.routing_key or "", mandatory=False)
        return len(again)


async def hold_back(amqp_url: str, services: Sequence[str], seconds: float, rng: random.Random) -> int:
    """Take messages away from under the services and give them back late and in another order; how many."""
    connection = await aio_pika.connect(amqp_url, timeout=5)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=40)
        taken: list[aio_pika.abc.AbstractIncomingMessage] = []

        async def keep(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            taken.append(message)

        tags = []
        for service in services:
            queue = await channel.get_queue(f"{NAMESPACE}.{service}", ensure=False)
            tags.append((queue, await queue.consume(keep)))
        await asyncio.sleep(seconds)
        for queue, tag in tags:
            await queue.cancel(tag)
        rng.shuffle(taken)
        for message in taken:
            await message.nack(requeue=True)
        return len(taken)


def _same(copy: aio_pika.abc.AbstractIncomingMessage) -> aio_pika.Message:
    return aio_pika.Message(
        copy.body,
        headers=copy.headers,
        message_id=copy.message_id,
        type=copy.type,
        content_type=copy.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
