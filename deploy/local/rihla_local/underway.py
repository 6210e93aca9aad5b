"""Events that have left one database and not reached the other."""

from __future__ import annotations

from collections.abc import Mapping

import aio_pika
import asyncpg
from aio_pika.exceptions import ChannelNotFoundEntity

from rihla.contracts.events.subscribers import SUBSCRIBERS
from rihla.messaging.setting_aside import DELAYS_MS


async def under_way(databases: Mapping[str, str], amqp_url: str, namespace: str) -> list[str]:
    """Outboxes with rows, and queues with messages: `outbox of booking (3)`."""
    found = [f"outbox of {name} ({rows})" for name, url in databases.items() if (rows := await _outbox(url))]
    connection = await aio_pika.connect(amqp_url, timeout=5)
    async with connection:
        for service in sorted({name for names in SUBSCRIBERS.values() for name in names}):
            queues = [service, *(f"{service}.delay.{delay}" for delay in DELAYS_MS)]
            depths = {queue: await _depth(connection, f"{namespace}.{queue}") for queue in queues}
            found += [f"queue {queue} ({messages})" for queue, messages in depths.items() if messages]
    return found


async def _outbox(url: str) -> int:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        there = await connection.fetchval("SELECT to_regclass('outbox') IS NOT NULL")
        return int(await connection.fetchval("SELECT count(*) FROM outbox")) if there else 0
    finally:
        await connection.close()


async def _depth(connection: aio_pika.abc.AbstractConnection, name: str) -> int:
    channel = await connection.channel()
    try:
        declared = await channel.declare_queue(name, passive=True)
        return declared.declaration_result.message_count or 0
    except ChannelNotFoundEntity:
        return 0
    finally:
        if not channel.is_closed:
            await channel.close()
