"""The company's hottest route, taking a payment, without the framework's way to it, which costs more than the payment.

The documented route stays behind it and answers whatever is not plainly a payment: the same function, the same models.
"""

from typing import Final

import pydantic
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from rihla.web.hand_over import hand_over, was_handed_over
from sandbox_provider.api import authorised, desk
from sandbox_provider.schemas import CreatePayment

_LONGEST_KEY: Final = 255


class PaymentLane(BaseRoute):
    """POST /v1/payments under an idempotency key."""

    path = path_format = "/v1/payments"

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full for a POST on the path that did not come this way before."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == self.path:
            return (Match.NONE, {}) if was_handed_over(scope) else (Match.FULL, {"route": self})
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the payment; what is refused goes to the application's handlers."""
        request = Request(scope, receive)
        raw, key = await request.body(), request.headers.get("idempotency-key", "")
        try:
            body = CreatePayment.model_validate_json(raw)
        except pydantic.ValidationError:
            body = None
        if body is None or not 1 <= len(key) <= _LONGEST_KEY:
            await hand_over(request, send)
            return
        await authorised(request, request.headers.get("authorization", ""))
        payment = await (await desk(request)).create(key, body)
        await Response(payment.model_dump_json(), 201, media_type="application/json")(scope, receive, send)


def open_express_lane(app: FastAPI) -> None:
    """Put the lane in front of the application's other routes."""
    app.router.routes.insert(0, PaymentLane())
