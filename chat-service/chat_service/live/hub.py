"""The sockets that are open in this process. Everything here is synchronous: no two steps can interleave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from uuid import UUID

from chat_service.live.protocol import SLOW, SUSPENDED
from rihla.telemetry import Counter, Gauge

OPEN = Gauge("rihla_chat_sockets_open", "Open sockets of this process")
DROPPED = Counter("rihla_chat_sockets_dropped_total", "Sockets closed by us", ["reason"])


class Socket:
    """One open socket: what waits to be sent, and how far the client has been brought.

    The traveller's socket belongs to one conversation; one of the desk (`conversation_id` None) sees all of them.
    """

    __slots__ = ("_most", "_waiting", "_wake", "close_code", "conversation_id", "heard_at", "progress", "user_id")

    def __init__(self, user_id: UUID, conversation_id: UUID | None, *, most_waiting: int, now: float) -> None:
        self.user_id = user_id
        self.conversation_id = conversation_id
        self.heard_at = now
        self.close_code: int | None = None
        self.progress: dict[UUID, int] = {}
        self._most = most_waiting
        self._waiting: list[tuple[UUID | None, int, str]] = []
        self._wake = asyncio.Event()

    def offer(self, frame: str, conversation_id: UUID | None = None, seq: int = 0) -> None:
        """Queue a frame; `seq` when it carries a message. A client that reads too slowly is closed and resumes."""
        if self.close_code is not None:
            return
        if len(self._waiting) >= self._most:
            DROPPED.labels("slow").inc()
            self.end(SLOW)
            return
        self._waiting.append((conversation_id, seq, frame))
        self._wake.set()

    def end(self, code: int) -> None:
        """Close soon."""
        if self.close_code is None:
            self.close_code = code
        self._wake.set()

    async def next_frames(self) -> list[str]:
        """What to send now, without messages the client was given before; empty when the socket shall close."""
        while True:
            await self._wake.wait()
            if self.close_code is not None:
                return []
            self._wake.clear()
            taken, self._waiting = self._waiting, []
            frames = [frame for conversation_id, seq, frame in taken if self._is_new(conversation_id, seq)]
            if frames:
                return frames

    def _is_new(self, conversation_id: UUID | None, seq: int) -> bool:
        if conversation_id is None or seq == 0:
            return True
        if seq <= self.progress.get(conversation_id, 0):
            return False
        if self.conversation_id is not None:
            self.progress[conversation_id] = seq
        return True


class Hub:
    """Finds the sockets that something is for."""

    def __init__(self) -> None:
        self._by_user: dict[UUID, set[Socket]] = {}
        self._by_conversation: dict[UUID, set[Socket]] = {}
        self._desk: set[Socket] = set()

    def __len__(self) -> int:
        return sum(len(sockets) for sockets in self._by_user.values())

    def __iter__(self) -> Iterator[Socket]:
        return iter([socket for sockets in self._by_user.values() for socket in sockets])

    def count_of(self, user_id: UUID) -> int:
        """Open sockets of one person here."""
        return len(self._by_user.get(user_id, ()))

    def users(self) -> list[UUID]:
        """Everybody with a socket here."""
        return list(self._by_user)

    def add(self, socket: Socket) -> bool:
        """Take in a socket; whether it is the person's first here."""
        mine = self._by_user.setdefault(socket.user_id, set())
        mine.add(socket)
        if socket.conversation_id is None:
            self._desk.add(socket)
        else:
            self._by_conversation.setdefault(socket.conversation_id, set()).add(socket)
        OPEN.inc()
        return len(mine) == 1

    def remove(self, socket: Socket) -> bool:
        """Let go of a socket; whether it was the person's last here."""
        OPEN.dec()
        self._desk.discard(socket)
        last = _discard(self._by_user, socket.user_id, socket)
        if socket.conversation_id is not None:
            _discard(self._by_conversation, socket.conversation_id, socket)
        return last

    def watches(self, conversation_id: UUID) -> bool:
        """Whether anybody here would be shown something of this conversation."""
        return bool(self._desk) or conversation_id in self._by_conversation

    def has_traveller(self, conversation_id: UUID) -> bool:
        """Whether the traveller of this conversation has a socket here."""
        return conversation_id in self._by_conversation

    def show_message(self, conversation_id: UUID, seq: int, frame: str) -> None:
        """Queue a message for both sides."""
        for socket in self._both(conversation_id):
            socket.offer(frame, conversation_id, seq)

    def show(self, conversation_id: UUID, frame: str, *, except_user: UUID | None = None) -> None:
        """Queue something that is not stored, such as typing, for both sides."""
        for socket in self._both(conversation_id):
            if socket.user_id != except_user:
                socket.offer(frame)

    def show_desk(self, frame: str) -> None:
        """Queue something for the desk only."""
        for socket in list(self._desk):
            socket.offer(frame)

    def close_users(self, user_ids: Iterable[UUID]) -> None:
        """Their accounts may not take part any more."""
        for user_id in user_ids:
            for socket in list(self._by_user.get(user_id, ())):
                DROPPED.labels("suspended").inc()
                socket.end(SUSPENDED)

    def close_all(self, code: int) -> None:
        """The process is stopping."""
        for socket in self:
            socket.end(code)

    def _both(self, conversation_id: UUID) -> list[Socket]:
        return [*self._by_conversation.get(conversation_id, ()), *self._desk]


def _discard(index: dict[UUID, set[Socket]], key: UUID, socket: Socket) -> bool:
    sockets = index.get(key)
    if sockets is None:
        return False
    sockets.discard(socket)
    if sockets:
        return False
    del index[key]
    return True
