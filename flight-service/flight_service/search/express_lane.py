"""GET /v1/flight-offers without the framework's way to it.

FastAPI's matching and dependency solving cost four times what a direct search costs us (as for holds, ADR 0003), so the
most asked route has a lane of its own in front of the router: the same checks in the same order by the same models, the
same errors by the same handlers. The documented route in `api` stays behind it, and a test compares the two.
"""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from flight_service.search.api import answer_search, read_params
from rihla.auth.dependencies import current_principal

_PATH = "/v1/flight-offers"


class SearchLane(BaseRoute):
    """Recognises the path and answers with the search's bytes."""

    path = path_format = _PATH

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for GET on the very path, none for everything else."""
        if scope["type"] == "http" and scope["path"] == _PATH and scope["method"] == "GET":
            return Match.FULL, {"route": self}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, read, search, answer."""
        principal = await current_principal(Request(scope))
        body = await answer_search(scope["app"].state.container, principal, read_params(scope["query_string"]))
        headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def open_search_lane(app: FastAPI) -> None:
    """Put the lane in front of the application's other routes."""
    app.router.routes.insert(0, SearchLane())
