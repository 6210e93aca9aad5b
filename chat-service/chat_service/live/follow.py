"""Following the database: the loop that closes every hole Redis left, and carries everything while Redis is gone."""

from __future__ import annotations

import asyncio

from chat_service.conversations import store
from chat_service.live.channel import Channel
from chat_service.live.hub import Hub
from chat_service.live.post_room import PostRoom
from chat_service.live.protocol import write_frame
from rihla.db import Database

_PAGE = 500


def position_text(position: store.FeedPosition) -> str:
    """A position of the feed as clients keep it."""
    return f"{position[0]}.{position[1]}"


def read_position(text: str) -> store.FeedPosition | None:
    """The position of such a text; None for anything else."""
    first, dot, second = text.partition(".")
    if not dot or not (first.isascii() and second.isascii() and first.isdigit() and second.isdigit()):
        return None
    position = int(first), int(second)
    return position if max(position) < 2**63 else None


class Follower:
    """One per process. Its position only passes what no later commit can come before."""

    name = "chat-follower"

    def __init__(
        self, db: Database, hub: Hub, room: PostRoom, channel: Channel, *, every: float, every_alone: float
    ) -> None:
        self._db = db
        self._hub = hub
        self._room = room
        self._channel = channel
        self._every = every
        self._every_alone = every_alone
        self._wake = asyncio.Event()
        self._told: store.FeedPosition = (0, 0)

    def nudge(self) -> None:
        """Look at once."""
        self._wake.set()

    async def start(self) -> None:
        """Begin at the present end; earlier messages are history that clients ask for."""
        if self._room.position == (0, 0):
            async with self._db.transaction() as session:
                self._room.position = await store.feed_end(session)

    async def run(self, stop: asyncio.Event) -> None:
        """Look every so often until `stop`."""
        await self.start()
        while not stop.is_set():
            await self.catch_up()
            pause = self._every if self._channel.connected else self._every_alone
            await self._wait(stop, pause)

    async def catch_up(self) -> int:
        """Bring what was committed since the last look; how many messages."""
        brought = 0
        while True:
            async with self._db.transaction() as session:
                end = await store.feed_end(session)
                rows = await store.read_feed(session, self._room.position, _PAGE, settled=True)
            await self._room.accept_rows(rows)
            brought += len(rows)
            if rows:
                self._room.position = rows[-1]["transaction_id"], rows[-1]["position"]
            if len(rows) < _PAGE:
                # The snapshot of `end` is older than the one that found nothing more.
                self._room.position = max(self._room.position, end)
                break
        self._tell_desk()
        return brought

    def _tell_desk(self) -> None:
        if self._room.position != self._told:
            self._told = self._room.position
            self._hub.show_desk(write_frame("position", after=position_text(self._told)))

    async def _wait(self, stop: asyncio.Event, seconds: float) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (stop, self._wake)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._wake.clear()
