"""One socket from its first frame to its last: resume, then read and write side by side."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.websockets import WebSocket, WebSocketDisconnect

from chat_service.conversations import store
from chat_service.conversations.mark_read import mark_read
from chat_service.conversations.schemas import Conversation, Message
from chat_service.conversations.send_message import send_message
from chat_service.live.bucket import Bucket
from chat_service.live.follow import position_text
from chat_service.live.hub import DROPPED, Socket
from chat_service.live.protocol import (
    FLOOD,
    GOING_AWAY,
    POLICY,
    TOO_BIG,
    BadFrame,
    Frame,
    Ping,
    Receipt,
    Send,
    Typing,
    message_frame,
    read_frame,
    refused_frame,
    write_frame,
)
from rihla.auth import Principal
from rihla.ending import end
from rihla.kernel import DomainError
from rihla.telemetry import get_logger
from rihla.web.outages import is_outage

_PAGE = 100
_log = get_logger(__name__)


@dataclass(slots=True)
class Resume:
    """Where the client wants to go on: a sequence number, or for the desk a position of the feed; None from now."""

    after_seq: int | None = None
    after_position: store.FeedPosition | None = None


@dataclass(slots=True)
class Session:
    """A socket whose opener is known. `c` is the container."""

    c: Any
    websocket: WebSocket
    principal: Principal
    socket: Socket
    resume: Resume
    _bucket: Bucket = field(init=False)
    _refused: int = 0

    def __post_init__(self) -> None:
        settings = self.c.settings
        now = asyncio.get_running_loop().time()
        self._bucket = Bucket(settings.socket_burst, settings.socket_frames_per_second, now)

    async def run(self) -> None:
        """Until either side ends it. The socket is in the hub already, so nothing is missed while resuming."""
        tasks: list[asyncio.Task[None]] = []
        try:
            async with self.c.opening:
                await self._greet()
            tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WebSocketDisconnect:
            self.socket.end(GOING_AWAY)
        finally:
            await end(tasks)
            with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
                await self.websocket.close(self.socket.close_code or GOING_AWAY)

    async def _greet(self) -> None:
        place_id = self.socket.conversation_id
        if place_id is None:
            await self._greet_desk()
            return
        async with self.c.db.transaction() as session:
            place = await store.load_conversation(session, place_id)
        assert place is not None
        await self.c.room.watch(place_id, place["last_seq"])
        self.socket.progress[place_id] = place["last_seq"] if self.resume.after_seq is None else self.resume.after_seq
        shown = Conversation.of(place).model_dump(mode="json")
        await self._say(write_frame("hello", view="traveller", user_id=self.principal.user_id, conversation=shown))
        while self.resume.after_seq is not None:
            async with self.c.db.transaction() as session:
                rows = await store.read_after(session, place_id, self.socket.progress[place_id], _PAGE)
            for row in rows:
                self.socket.progress[place_id] = row["seq"]
                await self._say(message_frame(Message.of(row).model_dump_json()))
            if len(rows) < _PAGE:
                break

    async def _greet_desk(self) -> None:
        """Everything visible after the position is sent, settled or not: the desk may get a message twice."""
        position = self.resume.after_position
        hello = write_frame(
            "hello", view="support", user_id=self.principal.user_id, after=position_text(self.c.room.position)
        )
        await self._say(hello)
        while position is not None:
            async with self.c.db.transaction() as session:
                rows = await store.read_feed(session, position, _PAGE, settled=False)
            for row in rows:
                position = row["transaction_id"], row["position"]
                before = self.socket.progress.get(row["conversation_id"], 0)
                self.socket.progress[row["conversation_id"]] = max(before, row["seq"])
                await self._say(message_frame(Message.of(row).model_dump_json()))
            if len(rows) < _PAGE:
                break

    async def _say(self, frame: str) -> None:
        try:
            await self.websocket.send_text(frame)
        except RuntimeError as error:  # the server closed the connection beneath us (no answer to its ping)
            raise WebSocketDisconnect(GOING_AWAY) from error

    async def _write(self) -> None:
        while frames := await self.socket.next_frames():
            for frame in frames:
                await self._say(frame)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        most = self.c.settings.socket_frame_bytes
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self.socket.heard_at = loop.time()
            text = message.get("text")
            if text is None:
                self.socket.end(POLICY)
                return
            if len(text) > most or len(text.encode("utf-8", "surrogatepass")) > most:
                self.socket.end(TOO_BIG)
                return
            if not self._bucket.take(loop.time()):
                if not self._bear_flood():
                    return
                continue
            await self._take(text)

    def _bear_flood(self) -> bool:
        """A frame too many: refused; after too many of them the socket ends."""
        self._refused += 1
        if self._refused > self.c.settings.socket_flood_patience:
            DROPPED.labels("flood").inc()
            self.socket.end(FLOOD)
            return False
        wait = round(self._bucket.wait_seconds, 3)
        self.socket.offer(refused_frame("too-many-frames", "Send more slowly.", retry_after=wait))
        return True

    async def _take(self, text: str) -> None:
        client_id: str | None = None
        try:
            frame = read_frame(text)
            client_id = frame.client_id if isinstance(frame, Send) else None
            await self._do(frame)
        except BadFrame as error:
            self.socket.offer(refused_frame("bad-frame", str(error)))
        except DomainError as error:
            spec = self.c.problems.spec(error)
            self.socket.offer(refused_frame(spec.code if spec else "refused", error.detail, client_id))
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("frame_not_handled", reason=type(error).__name__)
            refusal = refused_frame("service-unavailable", "Not stored; send it again.", client_id, retry_after=2)
            self.socket.offer(refusal)

    async def _do(self, frame: Frame) -> None:
        if isinstance(frame, Ping):
            self.socket.offer(write_frame("pong"))
            return
        place_id = self._place(frame.conversation_id)
        if isinstance(frame, Send):
            await self._send(place_id, frame)
        elif isinstance(frame, Receipt):
            await note_receipt(self.c, self.principal, place_id, frame.delivered_seq, frame.seen_seq)
        elif isinstance(frame, Typing):
            await self._typing(place_id, frame)

    def _place(self, named: UUID | None) -> UUID:
        """The desk names the conversation; a traveller has one, and naming another is refused by the deed."""
        place_id = named or self.socket.conversation_id
        if place_id is None:
            raise BadFrame("Name the conversation_id.")
        return place_id

    async def _send(self, place_id: UUID, frame: Send) -> None:
        posted = await send_message(self.c.db, self.c.clock, self.principal, place_id, frame.draft())
        row = posted.message
        ack = write_frame(
            "ack",
            client_id=frame.client_id,
            conversation_id=place_id,
            id=row["id"],
            seq=row["seq"],
            created_at=row["created_at"],
            repeated=posted.repeated,
        )
        self.socket.offer(ack)
        await self.c.room.posted(posted)

    async def _typing(self, place_id: UUID, frame: Typing) -> None:
        """Not stored, and not checked against the database: a traveller's socket belongs to its conversation."""
        if self.socket.conversation_id not in (None, place_id):
            raise BadFrame("That is not your conversation.")
        side = "staff" if self.socket.conversation_id is None else "traveller"
        shown = write_frame("typing", conversation_id=place_id, side=side, active=frame.active)
        await self.c.room.show(place_id, shown, except_user=self.principal.user_id)


async def note_receipt(c: Any, principal: Principal, place_id: UUID, delivered: int, seen: int) -> Any:
    """Store a receipt and show it to both sides when it says something new; the conversation afterwards."""
    place, side, changed = await mark_read(c.db, principal, place_id, delivered=delivered, seen=seen)
    if changed:
        frame = write_frame(
            "receipt",
            conversation_id=place_id,
            side=str(side),
            delivered_seq=place[f"{side}_delivered_seq"],
            seen_seq=place[f"{side}_seen_seq"],
            unread=place[f"{side}_unread"],
        )
        await c.room.show(place_id, frame)
    return place
