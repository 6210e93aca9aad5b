"""POST /v1/bookings without the framework's way to it.

Matching, dependency solving and the model cost a third of what a booking costs this service (ADR 0005), so the hottest
write has a route of its own in front of the router: the same checks in the same order, the same errors by the same
handlers. Whatever it does not recognise at once (no key, another media type, a body to be refused) goes on to the
documented route in `api`, which answers for it.
"""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from booking_service.placing.place_booking import place_booking
from booking_service.placing.wire_request import NotSure, read_order
from rihla.auth.dependencies import current_principal, signed_in
from rihla.web.hand_over import hand_over, was_handed_over
from rihla.web.idempotency import Replay, idempotent_request, replay_response

_PATH = "/v1/bookings"
_read_key = idempotent_request(required=True)
_LONGEST_KEY = 255


class PlaceLane(BaseRoute):
    """Takes what is plainly a booking to be placed, and hands over the rest."""

    path = path_format = _PATH

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for a POST of JSON with a key, none for everything else."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != _PATH or was_handed_over(scope):
            return Match.NONE, {}
        headers = dict(scope["headers"])
        key = headers.get(b"idempotency-key", b"")
        if headers.get(b"content-type") != b"application/json" or not 1 <= len(key) <= _LONGEST_KEY:
            return Match.NONE, {}
        return Match.FULL, {"route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, read, place, answer."""
        request = Request(scope, receive)
        principal = await signed_in(await current_principal(request))
        body = await request.body()
        try:
            order = read_order(body)
        except NotSure:
            await hand_over(request, send)
            return
        idem = await _read_key(request, principal, request.headers["idempotency-key"])
        placed = await place_booking(request.app.state.container, principal, order, idem)
        answer = (
            replay_response(placed)
            if isinstance(placed, Replay)
            else Response(placed, 201, media_type="application/json")
        )
        await answer(scope, receive, send)


def open_express_lane(app: FastAPI) -> None:
    """Put the lane in front of the application's other routes."""
    app.router.routes.insert(0, PlaceLane())
