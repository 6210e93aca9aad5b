"""`GET /v1/notifications/ws`: the unread count, at once and whenever it changes."""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

from fastapi import APIRouter, WebSocket
from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from notification_service.live.watchers import TooManySockets
from notification_service.reading import store
from rihla.auth import InvalidToken
from rihla.web.problems import MEDIA_TYPE, problem_body

router = APIRouter()
TOO_MANY_SOCKETS = 4029


@router.websocket("/v1/notifications/ws")
async def live_notifications(websocket: WebSocket) -> None:
    """Sends `{"type": "unread", "unread": 3, "newest": "<id>"}`; what the client sends is not read.

    401 before the handshake without a person's token; closed with 4029 when the user has too many open.
    """
    c = websocket.app.state.container
    user_id = _caller(websocket)
    if user_id is None:
        await _deny(websocket)
        return
    await websocket.accept()
    try:
        with c.watchers.watching(user_id) as wake:
            await _feed(websocket, c, user_id, wake)
    except TooManySockets:
        await websocket.close(TOO_MANY_SOCKETS)


async def _feed(websocket: WebSocket, c: Any, user_id: UUID, wake: asyncio.Event) -> None:
    gone = asyncio.create_task(_gone(websocket))
    try:
        said = None
        while not gone.done():
            wake.clear()
            async with c.db.transaction() as session:
                now = await store.badge(session, user_id)
            if now != said:
                unread, newest = said = now
                await websocket.send_json(
                    {"type": "unread", "unread": unread, "newest": str(newest) if newest else None}
                )
            await _changed_or_gone(wake, gone, c.settings.live_poll_seconds)
    except (WebSocketDisconnect, RuntimeError):
        # The client left while we were writing.
        return
    finally:
        gone.cancel()


async def _changed_or_gone(wake: asyncio.Event, gone: "asyncio.Task[None]", seconds: float) -> None:
    changed = asyncio.create_task(wake.wait())
    try:
        await asyncio.wait((changed, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        changed.cancel()


async def _gone(websocket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass


def _caller(websocket: WebSocket) -> UUID | None:
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        principal = websocket.app.state.verifier.verify(token)
    except InvalidToken:
        return None
    return principal.user_id if principal.kind == "person" else None


async def _deny(websocket: WebSocket) -> None:
    if "websocket.http.response" not in websocket.scope.get("extensions", {}):
        await websocket.close(1008)
        return
    request_id = websocket.headers.get("x-request-id", "")
    body = problem_body(401, "unauthenticated", "Sign in to do this", "", request_id)
    headers = {"WWW-Authenticate": 'Bearer realm="rihla"'}
    await websocket.send_denial_response(Response(body, 401, headers, MEDIA_TYPE))
