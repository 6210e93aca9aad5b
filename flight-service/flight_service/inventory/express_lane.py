"""PUT /internal/v1/holds/{hold_id}, and the two POSTs that place and sell many, without the framework's way to them.

FastAPI's matching and dependency solving cost five times what a hold costs us (measured, ADR 0003), so the hottest
writes have routes of their own in front of the router. The same checks in the same order, the same errors by the same
handlers; the documented routes stay behind them and answer whatever these do not recognise, such as an id that is no
UUID.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from flight_service.inventory.api import read_hold
from flight_service.inventory.confirm_many import confirm_many
from flight_service.inventory.place_many import place_many
from rihla.auth import require_service
from rihla.auth.dependencies import current_principal

_PREFIX = "/internal/v1/holds/"
_LENGTH = len(_PREFIX) + 36
_only_booking = require_service("booking")


class PutHoldLane(BaseRoute):
    """Recognises the path by its shape and answers with the desk's bytes."""

    path = path_format = _PREFIX + "{hold_id}"

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for PUT with a well-formed id, none for everything else."""
        if scope["type"] != "http" or scope["method"] != "PUT":
            return Match.NONE, {}
        path: str = scope["path"]
        if len(path) != _LENGTH or not path.startswith(_PREFIX):
            return Match.NONE, {}
        try:
            hold_id = UUID(path[len(_PREFIX) :])
        except ValueError:
            return Match.NONE, {}
        return Match.FULL, {"hold_id": hold_id, "route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, read, place, answer."""
        request = Request(scope, receive)
        await _only_booking(await current_principal(request))
        placed = await request.app.state.container.desk.place(scope["hold_id"], await read_hold(request))
        answer = Response(placed.body, 201 if placed.new else 200, media_type="application/json")
        await answer(scope, receive, send)


class ManyLane(BaseRoute):
    """Recognises one path and gives the request to the deed behind its documented route."""

    def __init__(self, path: str, deed: Callable[[Request], Awaitable[Response]]) -> None:
        self.path = self.path_format = path
        self._deed = deed

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for POST on the very path, none for everything else."""
        if scope["type"] == "http" and scope["path"] == self.path and scope["method"] == "POST":
            return Match.FULL, {"route": self}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, then the deed."""
        request = Request(scope, receive)
        await _only_booking(await current_principal(request))
        answer = await self._deed(request)
        await answer(scope, receive, send)


def open_express_lane(app: FastAPI) -> None:
    """Put the lanes in front of the application's other routes."""
    many = ManyLane(f"{_PREFIX}placements", place_many), ManyLane(f"{_PREFIX}confirmations", confirm_many)
    app.router.routes[:0] = [PutHoldLane(), *many]
