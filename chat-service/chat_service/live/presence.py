"""Who is online: told when somebody comes or goes, kept fresh by a heartbeat, and checked against suspensions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from chat_service.conversations.tables import conversation
from chat_service.desk.store import note_offline, note_online, presence_of
from chat_service.live.hub import DROPPED, Hub
from chat_service.live.post_room import PostRoom
from chat_service.live.protocol import IDLE, write_frame
from chat_service.people.store import blocked_among
from rihla.db import Database
from rihla.kernel import Clock
from rihla.web.loops import pause_or_stop

_MOST_TOLD = 200


class Presence:
    """One per process; `instance_id` is this process."""

    def __init__(self, db: Database, clock: Clock, room: PostRoom, instance_id: UUID, *, lasts: float) -> None:
        self._db = db
        self._clock = clock
        self._room = room
        self._instance_id = instance_id
        self._lasts = timedelta(seconds=lasts)

    async def came(self, user_id: UUID, conversation_id: UUID | None) -> None:
        """The first socket of somebody opened here."""
        await self.refresh([user_id])
        await self._tell(user_id, conversation_id, True, self._clock.now())

    async def went(self, user_id: UUID, conversation_id: UUID | None) -> None:
        """The last socket of somebody closed here; they may still be online elsewhere."""
        async with self._db.transaction() as session:
            now = self._clock.now()
            await note_offline(session, user_id, self._instance_id, now)
            online, seen_at = (await presence_of(session, [user_id], now)).get(user_id, (False, None))
        await self._tell(user_id, conversation_id, online, seen_at)

    async def refresh(self, user_ids: Iterable[UUID]) -> None:
        """These people are still here."""
        now = self._clock.now()
        async with self._db.transaction() as session:
            await note_online(session, user_ids, self._instance_id, now, now + self._lasts)

    async def _tell(self, user_id: UUID, conversation_id: UUID | None, online: bool, seen_at: datetime | None) -> None:
        """The desk hears of a traveller; the travellers whose conversations somebody at the desk has hear of them."""
        frame = _frame("traveller" if conversation_id else "staff", user_id, online, seen_at)
        if conversation_id is not None:
            await self._room.show_desk(frame)
            return
        async with self._db.transaction() as session:
            query = select(conversation.c.id).where(conversation.c.assignee_id == user_id).limit(_MOST_TOLD)
            theirs = list((await session.execute(query)).scalars())
        for one in theirs:
            await self._room.show(one, frame, except_user=user_id)


def _frame(side: str, user_id: UUID, online: bool, seen_at: datetime | None) -> str:
    return write_frame("presence", side=side, user_id=user_id, online=online, last_seen_at=seen_at)


class Heartbeat:
    """Every so often: a frame to every socket, the silent ones closed, presence renewed, suspended accounts closed."""

    name = "chat-heartbeat"

    def __init__(self, db: Database, hub: Hub, presence: Presence, *, every: float, idle: float) -> None:
        self._db = db
        self._hub = hub
        self._presence = presence
        self._every = every
        self._idle = idle

    async def run(self, stop: asyncio.Event) -> None:
        """Beat until `stop`."""
        while not stop.is_set():
            await pause_or_stop(stop, self._every)
            if not stop.is_set():
                await self.beat()

    async def beat(self) -> None:
        """One beat."""
        now = asyncio.get_running_loop().time()
        frame = write_frame("heartbeat", every_seconds=self._every)
        for socket in self._hub:
            if now - socket.heard_at > self._idle:
                DROPPED.labels("idle").inc()
                socket.end(IDLE)
            else:
                socket.offer(frame)
        users = self._hub.users()
        if users:
            await self._presence.refresh(users)
            async with self._db.transaction() as session:
                blocked = await blocked_among(session, users)
            self._hub.close_users(blocked)
