"""The sockets that are open in this process, woken by the Redis channel."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from notification_service.live.announcer import channel_of
from rihla.ending import end
from rihla.telemetry import Gauge, get_logger

OPEN = Gauge("rihla_live_sockets_open", "Open sockets of this process")
log = get_logger("live")
_PAUSE_SECONDS = 0.5


class TooManySockets(Exception):
    """The user has as many open as one may."""


class Watchers:
    """`watching` gives an event that is set whenever the user's count may have changed."""

    def __init__(self, redis: "Redis", namespace: str, *, most_per_user: int) -> None:
        self._redis = redis
        self._channel = channel_of(namespace)
        self._most = most_per_user
        self._open: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self.connected = asyncio.Event()

    @contextmanager
    def watching(self, user_id: UUID) -> Iterator[asyncio.Event]:
        """For as long as a socket is open. Raises TooManySockets."""
        if len(self._open.get(user_id, ())) >= self._most:
            raise TooManySockets
        wake = asyncio.Event()
        self._open[user_id].add(wake)
        OPEN.inc()
        try:
            yield wake
        finally:
            OPEN.dec()
            self._open[user_id].discard(wake)
            if not self._open[user_id]:
                del self._open[user_id]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear the channel for as long as the block runs, over a new connection whenever one is lost."""
        task = asyncio.create_task(self._keep_listening(), name="live-watchers")
        try:
            yield
        finally:
            await end([task])

    async def _keep_listening(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if self.connected.is_set():
                    log.warning("channel_lost", reason=type(error).__name__)
                self.connected.clear()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(self._channel)
            await self._redis.ping()
            self.connected.set()
            # What was said while nobody listened is found in the database.
            self._wake(list(self._open))
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                if message is not None:
                    self._wake(_ids(message["data"]))

    def _wake(self, user_ids: list[UUID]) -> None:
        for user_id in user_ids:
            for wake in self._open.get(user_id, ()):
                wake.set()


def _ids(data: bytes) -> list[UUID]:
    try:
        return [UUID(one) for one in data.decode("ascii").split(",") if one]
    except ValueError:
        return []
