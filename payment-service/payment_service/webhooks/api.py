"""Routes for providers. No token: the signature over the raw body says who calls."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from payment_service.bootstrap import Container
from payment_service.problems import PROBLEMS
from payment_service.providers.interface import InvalidSignature, RawWebhook
from payment_service.webhooks.receive import receive
from rihla.web import Schema, container, problem_responses

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
C = Annotated[Container, Depends(container)]


class Received(Schema):
    """The event is safe with us; repeats are answered alike."""

    received: bool = Field(examples=[True])


PROVIDERS = ("sandbox", "stripe", "paymob")
_PROBLEMS = problem_responses("invalid-signature", table=PROBLEMS)


async def take(provider: str, request: Request, c: Container) -> Received:
    """What both ways to these routes do (`express_lanes`). Raises InvalidSignature."""
    raw = RawWebhook(
        body=await request.body(),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]},
        query=dict(request.query_params) if request.scope["query_string"] else {},
    )
    if provider not in c.providers.by_name:
        raise InvalidSignature("Webhooks of this provider cannot be verified here.")
    await receive(c.db, c.desk, c.providers, c.clock, provider, raw)
    return Received(received=True)


@router.post(
    "/sandbox", operation_id="receive_sandbox_webhook", summary="Events of the sandbox provider", responses=_PROBLEMS
)
async def receive_sandbox(request: Request, c: C) -> Received:
    """Signed with `Sandbox-Signature: t=<unix>,v1=<hex>`: HMAC-SHA256 over `<t>.<raw body>`, at most 300 s old."""
    return await take("sandbox", request, c)


@router.post("/stripe", operation_id="receive_stripe_webhook", summary="Events of Stripe", responses=_PROBLEMS)
async def receive_stripe(request: Request, c: C) -> Received:
    """Signed with `Stripe-Signature: t=<unix>,v1=<hex>`: HMAC-SHA256 over `<t>.<raw body>`, at most 300 s old."""
    return await take("stripe", request, c)


@router.post("/paymob", operation_id="receive_paymob_webhook", summary="Callbacks of Paymob", responses=_PROBLEMS)
async def receive_paymob(request: Request, c: C) -> Received:
    """Signed by the query parameter `hmac`: HMAC-SHA512 over the transaction's documented fields.

    With an empty body the transaction is in the query itself, as Paymob sends the browser back: the page it comes back
    to (`return_url`) may pass its query on, and the payment ends without waiting for the callback.
    """
    return await take("paymob", request, c)
