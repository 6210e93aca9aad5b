"""The sandbox company's API. Errors are `{"error": {"code", "message"}}`, a shape of its own."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.responses import HTMLResponse

from sandbox_provider.pages import confirmation_page
from sandbox_provider.payments import Payments, Refused
from sandbox_provider.schemas import CancelPayment, CreatePayment, CreateRefund, PaymentOut, RefundOut


async def desk(request: Request) -> Payments:
    """The company's desk, from the application's state."""
    payments: Payments = request.app.state.payments
    return payments


async def authorised(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """Refuse callers without the secret API key."""
    expected = f"Bearer {request.app.state.settings.sandbox_api_key.get_secret_value()}"
    if not hmac.compare_digest(authorization.encode(), expected.encode()):
        raise Refused(401, "unauthorised", "Send your secret key: Authorization: Bearer sk_sandbox_...")


Desk = Annotated[Payments, Depends(desk)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=255)]

api = APIRouter(prefix="/v1", dependencies=[Depends(authorised)], tags=["sandbox"])
pages = APIRouter(tags=["confirmation"])


@api.post("/payments", status_code=201, summary="Take a payment from a card", operation_id="sandbox_create_payment")
async def create_payment(body: CreatePayment, key: Key, payments: Desk) -> PaymentOut:
    return await payments.create(key, body)


@api.get("/payments", summary="Find a payment by idempotency key", operation_id="sandbox_find_payment")
async def find_payment(payments: Desk, idempotency_key: Annotated[str, Query(min_length=1)]) -> PaymentOut:
    return await payments.find(key=idempotency_key)


@api.get("/payments/{payment_id}", summary="Read a payment", operation_id="sandbox_get_payment")
async def get_payment(payment_id: str, payments: Desk) -> PaymentOut:
    return await payments.find(payment_id=payment_id)


@api.post("/payment-cancellations", summary="Cancel an idempotency key", operation_id="sandbox_cancel_payment")
async def cancel_payment(body: CancelPayment, payments: Desk) -> PaymentOut:
    return await payments.cancel(body.idempotency_key)


@api.post("/refunds", status_code=201, summary="Refund a payment", operation_id="sandbox_create_refund")
async def create_refund(body: CreateRefund, key: Key, payments: Desk) -> RefundOut:
    return await payments.refund(key, body)


@api.get("/refunds", summary="Find a refund by idempotency key", operation_id="sandbox_find_refund")
async def find_refund(payments: Desk, idempotency_key: Annotated[str, Query(min_length=1)]) -> RefundOut:
    return await payments.find_refund(idempotency_key)


@pages.get("/confirm/{payment_id}", response_class=HTMLResponse, summary="Confirmation page")
async def confirmation(payment_id: str, token: str, payments: Desk) -> HTMLResponse:
    return HTMLResponse(confirmation_page(await payments.find(payment_id=payment_id), token))


@pages.post("/confirm/{payment_id}", response_class=HTMLResponse, summary="Approve or refuse")
async def answer_confirmation(
    payment_id: str, payments: Desk, token: Annotated[str, Form()], answer: Annotated[str, Form()]
) -> HTMLResponse:
    payment = await payments.confirm(payment_id, token, approved=answer == "approve")
    return HTMLResponse(confirmation_page(payment, token))
