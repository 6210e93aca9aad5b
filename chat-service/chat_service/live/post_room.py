"""Where messages that were stored become frames: in order, without a hole, once for each socket, over all instances.

Redis carries frames between instances and may lose any of them. What closes the holes is the database: a message that
comes too early makes this process read what is missing, and the follower (`follow.py`) reads everything that was
committed, whatever came by Redis.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from chat_service.conversations import store
from chat_service.conversations.posted import Posted, Row
from chat_service.conversations.schemas import Conversation, Message
from chat_service.live.channel import Channel, Parcel
from chat_service.live.hub import Hub
from chat_service.live.protocol import message_frame, write_frame
from rihla.db import Database
from rihla.telemetry import Counter

FILLED = Counter("rihla_chat_messages_filled_total", "Messages read from the database to close a hole")
_MOST_KNOWN = 50_000


class PostRoom:
    """One per process."""

    def __init__(self, db: Database, hub: Hub, channel: Channel) -> None:
        self._db = db
        self._hub = hub
        self._channel = channel
        self._known: OrderedDict[UUID, int] = OrderedDict()
        self._lock = asyncio.Lock()
        self.position: store.FeedPosition = (0, 0)
        """The follower has brought everything up to here."""

    async def posted(self, posted: Posted) -> None:
        """Show a message that was just stored, here and on every other instance. Repeats are shown to nobody."""
        if posted.repeated:
            return
        row = posted.message
        frame = message_frame(Message.of(row).model_dump_json())
        await self.accept(row["conversation_id"], row["seq"], frame)
        await self._channel.send(Parcel("message", row["conversation_id"], frame, seq=row["seq"]))
        if posted.status_changed:
            await self.changed(posted.conversation)

    async def changed(self, conversation: Row) -> None:
        """Show a conversation whose state changed."""
        shown = Conversation.of(conversation).model_dump(mode="json")
        await self.show(conversation["id"], write_frame("conversation", conversation=shown))

    async def show(self, conversation_id: UUID, frame: str, *, except_user: UUID | None = None) -> None:
        """Show something that is not a message to both sides, everywhere."""
        self._hub.show(conversation_id, frame, except_user=except_user)
        await self._channel.send(Parcel("frame", conversation_id, frame, user_id=except_user))

    async def show_desk(self, frame: str) -> None:
        """Show something to the desk, everywhere."""
        self._hub.show_desk(frame)
        await self._channel.send(Parcel("desk", None, frame))

    async def receive(self, parcel: Parcel) -> None:
        """What another instance sent."""
        if parcel.kind == "message" and parcel.conversation_id is not None:
            await self.accept(parcel.conversation_id, parcel.seq, parcel.frame)
        elif parcel.kind == "frame" and parcel.conversation_id is not None:
            self._hub.show(parcel.conversation_id, parcel.frame, except_user=parcel.user_id)
        elif parcel.kind == "desk":
            self._hub.show_desk(parcel.frame)
        elif parcel.kind == "block" and parcel.user_id is not None:
            self._hub.close_users([parcel.user_id])

    async def accept(self, conversation_id: UUID, seq: int, frame: str) -> None:
        """Show message `seq`, and before it everything this process has not shown yet."""
        if not self._hub.watches(conversation_id):
            return
        async with self._lock:
            known = self._known.get(conversation_id)
            if known is None:
                known = await self._where_we_stand(conversation_id, seq)
            if seq <= known:
                return
            if seq > known + 1:
                await self._fill(conversation_id, known, seq)
            self._show(conversation_id, seq, frame)

    async def accept_rows(self, rows: Sequence[RowMapping]) -> None:
        """Messages read from the database."""
        for row in rows:
            conversation_id, seq = row["conversation_id"], row["seq"]
            if seq > self._known.get(conversation_id, 0) and self._hub.watches(conversation_id):
                await self.accept(conversation_id, seq, message_frame(Message.of(row).model_dump_json()))

    async def watch(self, conversation_id: UUID, last_seq: int) -> None:
        """A traveller's socket is in the hub, and after that the conversation was read: holes from there on are
        noticed."""
        async with self._lock:
            if conversation_id not in self._known:
                self._note(conversation_id, last_seq)

    async def _where_we_stand(self, conversation_id: UUID, seq: int) -> int:
        """For a conversation heard of for the first time: what lies between the follower's position and `seq`."""
        if self.position == (0, 0):
            return seq - 1
        async with self._db.transaction() as session:
            rows = await store.read_feed_of(session, conversation_id, self.position)
        earlier = [int(row["seq"]) for row in rows if row["seq"] < seq]
        return min(earlier, default=seq) - 1

    async def _fill(self, conversation_id: UUID, known: int, before: int) -> None:
        async with self._db.transaction() as session:
            rows = await store.read_after(session, conversation_id, known, before - known - 1)
        for row in rows:
            FILLED.inc()
            self._show(conversation_id, row["seq"], message_frame(Message.of(row).model_dump_json()))

    def _show(self, conversation_id: UUID, seq: int, frame: str) -> None:
        self._note(conversation_id, seq)
        self._hub.show_message(conversation_id, seq, frame)

    def _note(self, conversation_id: UUID, seq: int) -> None:
        self._known[conversation_id] = seq
        self._known.move_to_end(conversation_id)
        while len(self._known) > _MOST_KNOWN:
            oldest = next(iter(self._known))
            if self._hub.has_traveller(oldest):
                self._known.move_to_end(oldest)
                break
            del self._known[oldest]

    def state(self) -> dict[str, Any]:
        """For health: what this process watches."""
        return {"sockets": len(self._hub), "conversations": len(self._known), "redis": self._channel.connected}
