"""Removes what a test left in the broker and the cache."""

import aio_pika
import redis.asyncio as redis
from aio_pika.exceptions import ChannelClosed

from rihla.messaging.setting_aside import DELAYS_MS

CONSUMERS = ("auth", "flight", "booking", "payment", "notification", "chat")
PRODUCERS = CONSUMERS


async def remove_namespace(name: str, amqp_url: str, redis_url: str) -> None:
    """Delete the queues and exchanges a namespace may have, and its keys."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        for consumer in CONSUMERS:
            suffixes = ["", ".dead", *(f".delay.{delay}" for delay in DELAYS_MS)]
            if not await _exists(connection, f"{name}.{consumer}"):
                continue
            for suffix in suffixes:
                channel = await connection.channel()
                # A quorum queue accepts neither if_unused nor if_empty.
                await channel.queue_delete(f"{name}.{consumer}{suffix}", if_unused=False, if_empty=False)
                await channel.close()
        for producer in PRODUCERS:
            channel = await connection.channel()
            await channel.exchange_delete(f"{name}.{producer}")
            await channel.close()
    async with redis.from_url(redis_url) as cache:
        async for key in cache.scan_iter(match=f"{name}:*", count=500):
            await cache.delete(key)


async def _exists(connection: aio_pika.abc.AbstractConnection, queue: str) -> bool:
    channel = await connection.channel()
    try:
        await channel.declare_queue(queue, passive=True)
    except ChannelClosed:
        return False
    await channel.close()
    return True
