"""The handshake of `GET /v1/chat/ws`, asked before it is answered."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.responses import Response

from chat_service.conversations.access import is_staff, refuse_blocked
from chat_service.conversations.errors import AccountSuspended
from chat_service.conversations.store import ensure_conversation
from chat_service.desk.store import note_colleague
from chat_service.live.follow import read_position
from chat_service.live.hub import DROPPED, Socket
from chat_service.live.protocol import TOO_MANY_SOCKETS
from chat_service.live.session import Resume, Session
from rihla.auth import InvalidToken, Principal
from rihla.telemetry import get_logger
from rihla.web.outages import is_outage
from rihla.web.problems import MEDIA_TYPE, problem_body

router = APIRouter()
SUBPROTOCOL = "chat.v1"
_log = get_logger(__name__)


class _Denied(Exception):
    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(code)
        self.status, self.code, self.title = status, code, title


@router.websocket("/v1/chat/ws")
async def chat_socket(websocket: WebSocket) -> None:
    """`?after=<seq>` resumes; `?view=support` (with `&after=<position>`) is the desk's feed of all conversations."""
    c = websocket.app.state.container
    try:
        principal = _caller(websocket)
        for_desk = _wants_desk(websocket, principal)
        resume = _resume(websocket, for_desk)
        async with c.opening:
            socket = await _open(c, principal, for_desk)
    except _Denied as denied:
        await _deny(websocket, denied)
        return
    except Exception as error:
        if not is_outage(error):
            raise
        await _deny(websocket, _Denied(503, "service-unavailable", "A part of Rihla is not answering"))
        return
    offered = websocket.scope.get("subprotocols", ())
    await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    settings = c.settings
    if c.hub.count_of(principal.user_id) >= settings.sockets_per_user or len(c.hub) >= settings.sockets_per_instance:
        DROPPED.labels("too_many").inc()
        await websocket.close(TOO_MANY_SOCKETS)
        return
    await _hold(c, Session(c, websocket, principal, socket, resume))


async def _hold(c: Any, session: Session) -> None:
    socket = session.socket
    first = c.hub.add(socket)
    try:
        if first:
            async with c.opening:
                await c.presence.came(socket.user_id, socket.conversation_id)
        await session.run()
    finally:
        if c.hub.remove(socket):
            # The task of a killed connection is cancelled; that somebody went is told nevertheless.
            await asyncio.shield(_went(c, socket))


async def _went(c: Any, socket: Socket) -> None:
    try:
        await c.presence.went(socket.user_id, socket.conversation_id)
    except Exception as error:  # presence ends by itself a little later (`online_until`)
        _log.warning("going_not_told", reason=type(error).__name__)


def _caller(websocket: WebSocket) -> Principal:
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise InvalidToken("no bearer token")
        principal: Principal = websocket.app.state.verifier.verify(token)
    except InvalidToken as error:
        raise _Denied(401, "unauthenticated", "Sign in to do this") from error
    if principal.kind != "person":
        raise _Denied(401, "unauthenticated", "Sign in to do this")
    if principal.read_only:  # a socket sends, and its opening alone shows that somebody is there
        raise _Denied(403, "forbidden", "You may not do this")
    return principal


def _wants_desk(websocket: WebSocket, principal: Principal) -> bool:
    view = websocket.query_params.get("view", "traveller")
    if view not in ("traveller", "support"):
        raise _Denied(422, "validation-failed", "view is traveller or support")
    if view == "support" and not is_staff(principal):
        raise _Denied(403, "forbidden", "You may not do this")
    return view == "support"


def _resume(websocket: WebSocket, for_desk: bool) -> Resume:
    after = websocket.query_params.get("after")
    if after is None:
        return Resume()
    if for_desk:
        position = read_position(after)
        if position is None:
            raise _Denied(422, "validation-failed", "after is a position you were given")
        return Resume(after_position=position)
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise _Denied(422, "validation-failed", "after is the seq of a message")
    return Resume(after_seq=int(after))


async def _open(c: Any, principal: Principal, for_desk: bool) -> Socket:
    conversation_id = None
    async with c.db.transaction() as session:
        try:
            await refuse_blocked(session, principal.user_id)
        except AccountSuspended as error:
            raise _Denied(403, "account-suspended", "The account is suspended") from error
        if for_desk:
            await note_colleague(session, principal.user_id, c.clock.now())
        else:
            place = await ensure_conversation(session, principal.user_id, "en", c.clock.now())
            conversation_id = place["id"]
    now = asyncio.get_running_loop().time()
    return Socket(principal.user_id, conversation_id, most_waiting=c.settings.socket_queue, now=now)


async def _deny(websocket: WebSocket, denied: _Denied) -> None:
    if "websocket.http.response" not in websocket.scope.get("extensions", {}):
        await websocket.close(1008)
        return
    body = problem_body(denied.status, denied.code, denied.title, "", websocket.headers.get("x-request-id", ""))
    headers = {"WWW-Authenticate": 'Bearer realm="rihla"'} if denied.status == 401 else {}
    await websocket.send_denial_response(Response(body, denied.status, headers, MEDIA_TYPE))
