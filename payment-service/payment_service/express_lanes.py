"""The two hottest routes without the framework's way to them: POST /v1/payments and the providers' webhooks.

Matching and dependency solving cost more than a wallet payment or a webhook itself (docs/adr/0003 measured it for
holds), so both have plain routes in front of the routers: the same dependency functions, models, error handlers and
metrics. The documented routes stay behind them and answer whatever a lane does not recognise.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import pydantic
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from payment_service.payments.api import CARD_FIELDS, pay
from payment_service.payments.schemas import CreatePayment
from payment_service.webhooks.api import PROVIDERS, take
from rihla.auth.dependencies import current_principal, signed_in
from rihla.web.hand_over import hand_over, was_handed_over
from rihla.web.idempotency import idempotent_request

_RECEIVED: Final = b'{"received":true}'
_read_key = idempotent_request(required=True, without=CARD_FIELDS)
Endpoint = Callable[[Request], Awaitable[Response]]


class NotForTheLane(Exception):
    """The documented route must answer this one; nothing has been done."""


class Lane(BaseRoute):
    """One POST on one exact path."""

    def __init__(self, path: str, endpoint: Endpoint) -> None:
        self.path = self.path_format = path
        self._endpoint = endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for a POST on the path; an unusable Idempotency-Key is the documented route's to refuse."""
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != "POST":
            return Match.NONE, {}
        if was_handed_over(scope):
            return Match.NONE, {}
        for name, value in scope["headers"]:
            if name == b"idempotency-key" and not 1 <= len(value) <= 255:
                return Match.NONE, {}
        return Match.FULL, {"route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the endpoint; what it raises goes to the application's handlers."""
        request = Request(scope, receive)
        try:
            answer = await self._endpoint(request)
        except NotForTheLane:
            await hand_over(request, send)
            return
        await answer(scope, receive, send)


async def _payment(request: Request) -> Response:
    body = _body(await request.body())
    person = await signed_in(await current_principal(request))
    idem = await _read_key(request, person, request.headers.get("idempotency-key"))
    return await pay(body, person, idem, request.app.state.container)


def _webhook(provider: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        await take(provider, request, request.app.state.container)
        return Response(_RECEIVED, media_type="application/json")

    return endpoint


def _body(raw: bytes) -> CreatePayment:
    try:
        return CreatePayment.model_validate_json(raw)
    except pydantic.ValidationError:
        raise NotForTheLane from None


def open_express_lanes(app: FastAPI) -> None:
    """Put the lanes in front of the application's other routes."""
    lanes = [Lane("/v1/payments", _payment)]
    lanes += [Lane(f"/v1/webhooks/{provider}", _webhook(provider)) for provider in PROVIDERS]
    app.router.routes[:0] = lanes
