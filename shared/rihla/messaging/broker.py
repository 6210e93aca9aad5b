"""One connection to RabbitMQ, opened when it is first needed and again after it was lost."""

import asyncio
import contextlib
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractQueue

_CONNECT_SECONDS = 5
_CHECK_SECONDS = 3


class Broker:
    """Names are prefixed by `namespace`, so that several stacks can share one broker."""

    def __init__(self, amqp_url: str, *, namespace: str, service: str) -> None:
        self._url = amqp_url
        self.namespace = namespace
        self.service = service
        self._connection: AbstractConnection | None = None
        self._lock = asyncio.Lock()

    @classmethod
    async def connect(cls, amqp_url: str, *, namespace: str, service: str) -> "Broker":
        """A broker that connects at first use: a worker starts, and waits, while RabbitMQ is away."""
        return cls(amqp_url, namespace=namespace, service=service)

    async def channel(self, *, confirms: bool = True) -> AbstractChannel:
        """A new channel, over a new connection when the last one is gone. Raises when RabbitMQ does not answer."""
        async with self._lock:
            if self._connection is None or not _is_open(self._connection):
                self._connection = await aio_pika.connect(
                    self._url, timeout=_CONNECT_SECONDS, client_properties={"connection_name": f"rihla-{self.service}"}
                )
            connection = self._connection
        try:
            return await connection.channel(publisher_confirms=confirms)
        except Exception:
            # Whatever its flags say, a connection that opens no channel is not tried again.
            await self._forget(connection)
            raise

    async def exchange(self, channel: AbstractChannel, producer: str) -> AbstractExchange:
        """The topic exchange of one producer."""
        return await channel.declare_exchange(f"{self.namespace}.{producer}", aio_pika.ExchangeType.TOPIC, durable=True)

    async def queue(self, channel: AbstractChannel, name: str, **arguments: Any) -> AbstractQueue:
        """A durable quorum queue `<namespace>.<name>`: replicated on a cluster, the same on one node."""
        return await channel.declare_queue(
            f"{self.namespace}.{name}", durable=True, arguments={"x-queue-type": "quorum", **arguments}
        )

    async def check(self) -> None:
        """Raise unless RabbitMQ opens a channel within three seconds."""
        async with asyncio.timeout(_CHECK_SECONDS):
            channel = await self.channel(confirms=False)
            await channel.close()

    async def _forget(self, connection: AbstractConnection) -> None:
        if self._connection is connection:
            self._connection = None
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await connection.close()

    async def close(self) -> None:
        """Close the connection, and with it every channel."""
        if self._connection is not None and not self._connection.is_closed:
            await self._connection.close()


def _is_open(connection: AbstractConnection) -> bool:
    """Open by its own account and by that of the transport below.

    aio_pika learns of a lost transport by a callback that a broker killed at the wrong moment never makes: then it
    says open for ever, and every channel fails.
    """
    transport = connection.transport
    return not connection.is_closed and transport is not None and not transport.connection.is_closed
