"""The Redis channel between instances. Losing it loses speed, never a message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rihla.kernel import new_id
from rihla.telemetry import Counter, get_logger

LOST = Counter("rihla_chat_parcels_unsent_total", "Frames that could not be given to Redis")
_log = get_logger(__name__)
_PAUSE_SECONDS = 0.5


class Parcel(msgspec.Struct, frozen=True, omit_defaults=True):
    """What instances tell each other: `message` and `frame` (both sides), `desk`, `block` (close a user's sockets)."""

    kind: str
    conversation_id: UUID | None
    frame: str = ""
    seq: int = 0
    user_id: UUID | None = None
    origin: UUID | None = None


_decoder = msgspec.msgpack.Decoder(Parcel)
_encoder = msgspec.msgpack.Encoder()


class Channel:
    """One per process; `origin` marks what this process sent itself."""

    name = "chat-channel"

    def __init__(self, redis: Redis, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self.origin = new_id()
        self.connected = False
        self._silent_until = 0.0
        self.on_parcel: Callable[[Parcel], Awaitable[None]] | None = None
        self.on_connected: Callable[[], object] | None = None

    async def send(self, parcel: Parcel) -> None:
        """Tell the other instances; never raises. After a failure nothing is tried for half a second."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until:
            LOST.inc()
            return
        marked = msgspec.structs.replace(parcel, origin=self.origin)
        try:
            await self._redis.publish(self._channel, _encoder.encode(marked))
        except (RedisError, OSError, TimeoutError):
            LOST.inc()
            self._silent_until = loop.time() + _PAUSE_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Hear until `stop`; whenever the connection is made anew, the follower is asked to look at once."""
        while not stop.is_set():
            try:
                await self._listen(stop)
            except (RedisError, OSError, TimeoutError) as error:
                if self.connected:
                    _log.warning("channel_lost", reason=type(error).__name__)
                self.connected = False
                await asyncio.sleep(_PAUSE_SECONDS)
        self.connected = False

    async def _listen(self, stop: asyncio.Event) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(self._channel)
            await self._redis.ping()
            self.connected = True
            if self.on_connected is not None:
                self.on_connected()
            while not stop.is_set():
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.5)
                if message is not None:
                    await self._take(message["data"])

    async def _take(self, data: bytes) -> None:
        try:
            parcel = _decoder.decode(data)
        except msgspec.DecodeError:
            _log.warning("parcel_unreadable")
            return
        if parcel.origin != self.origin and self.on_parcel is not None:
            await self.on_parcel(parcel)
