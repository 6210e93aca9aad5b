"""Payments by Stripe from end to end: the whole service against a small Stripe-compatible server on a real socket.

The server keeps payment intents and refunds, honours idempotency keys, checks the API key and the version, and signs
its events, all as https://docs.stripe.com/api and https://docs.stripe.com/webhooks describe. What it says about cards
goes by Stripe's documented test tokens.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from payment_service.payments.reconcile import reconcile
from payment_service.providers.signatures import timestamped_signature
from payment_service.providers.stripe import API_VERSION
from rihla.kernel import Clock, new_id

Stack = Any
Json = dict[str, Any]
SECRET = "whsec_local"


@dataclass
class StripeServer:
    """A Stripe account of its own."""

    clock: Clock
    intents: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    answered: dict[str, tuple[str, int, Json]] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    lose_answers: bool = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/payment_intents", self.create_intent, methods=["POST"]),
                Route("/v1/payment_intents/search", self.search, methods=["GET"]),
                Route("/v1/payment_intents/{id}", self.read_intent, methods=["GET"]),
                Route("/v1/payment_intents/{id}/cancel", self.cancel, methods=["POST"]),
                Route("/v1/refunds", self.refund, methods=["POST"]),
                Route("/v1/refunds", self.list_refunds, methods=["GET"]),
                Route("/v1/refunds/{id}", self.read_refund, methods=["GET"]),
            ]
        )

    async def create_intent(self, request: Request) -> JSONResponse:
        return await self._once(request, self._new_intent)

    async def refund(self, request: Request) -> JSONResponse:
        return await self._once(request, self._new_refund)

    async def read_intent(self, request: Request) -> JSONResponse:
        return _found(self.intents.get(request.path_params["id"]))

    async def read_refund(self, request: Request) -> JSONResponse:
        return _found(self.refunds.get(request.path_params["id"]))

    async def search(self, request: Request) -> JSONResponse:
        wanted = request.query_params["query"].split("'")[3]
        found = [one for one in self.intents.values() if one["metadata"]["rihla_part"] == wanted]
        return JSONResponse({"object": "search_result", "data": found, "has_more": False})

    async def list_refunds(self, request: Request) -> JSONResponse:
        of = request.query_params["payment_intent"]
        found = [one for one in self.refunds.values() if one["payment_intent"] == of]
        return JSONResponse({"object": "list", "data": found, "has_more": False})

    async def cancel(self, request: Request) -> JSONResponse:
        intent = self.intents[request.path_params["id"]]
        intent["status"] = "canceled"
        return JSONResponse(intent)

    async def _once(self, request: Request, act: Any) -> JSONResponse:
        """Idempotency as documented: the first answer again, and an error for another content under the same key."""
        body = (await request.body()).decode()
        if request.headers["authorization"] != "Bearer sk_test_local" or not request.headers.get("stripe-version"):
            return _error(401, "invalid_request_error", "api_key_invalid")
        assert request.headers["stripe-version"] == API_VERSION
        key = request.headers["idempotency-key"]
        if key in self.answered and self.answered[key][0] != body:
            return _error(400, "idempotency_error", "idempotency_key_in_use")
        if key not in self.answered:
            self.answered[key] = (body, *act(dict(parse_qsl(body))))
        _, status, answer = self.answered[key]
        return _error(500, "api_error", "lost") if self.lose_answers else JSONResponse(answer, status)

    def _new_intent(self, form: dict[str, str]) -> tuple[int, Json]:
        intent_id = f"pi_{new_id().hex}"
        intent: Json = {
            "id": intent_id, "object": "payment_intent", "amount": int(form["amount"]), "amount_received": 0,
            "currency": form["currency"], "client_secret": f"{intent_id}_secret", "livemode": False,
            "status": "requires_payment_method", "metadata": _metadata(form), "next_action": None,
            "last_payment_error": None, "payment_method": None,
        }  # fmt: skip
        self.intents[intent_id] = intent
        if form.get("confirm") == "true":
            return self._confirm(intent, form["payment_method"])
        return 200, intent

    def confirm(self, intent_id: str, token: str = "pm_card_visa") -> None:
        """What the browser does on the payment page, with the intent's client secret."""
        self._confirm(self.intents[intent_id], token)

    def _confirm(self, intent: Json, token: str) -> tuple[int, Json]:
        if token == "pm_card_visa":
            intent |= {"status": "succeeded", "amount_received": intent["amount"], "payment_method": token}
            self.tell("payment_intent.succeeded", intent)
            return 200, intent
        error = {
            "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
            "message": "Your card has insufficient funds.",
        }  # fmt: skip
        intent["last_payment_error"] = error
        self.tell("payment_intent.payment_failed", intent)
        return 402, {"error": error | {"payment_intent": dict(intent)}}

    def _new_refund(self, form: dict[str, str]) -> tuple[int, Json]:
        intent = self.intents[form["payment_intent"]]
        before = sum(one["amount"] for one in self.refunds.values() if one["payment_intent"] == intent["id"])
        if before + int(form["amount"]) > intent["amount_received"]:
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded"}}
        refund: Json = {
            "id": f"re_{new_id().hex}", "object": "refund", "amount": int(form["amount"]), "status": "pending",
            "payment_intent": intent["id"], "currency": intent["currency"], "metadata": _metadata(form),
        }  # fmt: skip
        self.refunds[refund["id"]] = refund
        return 200, refund

    def end_refund(self, refund_id: str, status: str) -> None:
        """The bank's word on a refund."""
        self.refunds[refund_id]["status"] = status
        self.tell("refund.updated" if status == "succeeded" else "refund.failed", self.refunds[refund_id])

    def tell(self, kind: str, thing: Json) -> None:
        """An event for the webhook endpoint."""
        event = {"id": f"evt_{new_id().hex}", "object": "event", "type": kind, "livemode": False}
        self.events.append(event | {"data": {"object": dict(thing)}})

    async def deliver(self, stack: Stack, secret: str = SECRET) -> list[int]:
        """Post every event so far, signed; how each was answered."""
        answers = []
        for event in self.events:
            body, at = json.dumps(event).encode(), int(self.clock.now().timestamp())
            headers = {"stripe-signature": f"t={at},v1={timestamped_signature(secret, at, body)}"}
            answer = await stack.client.post("/v1/webhooks/stripe", content=body, headers=headers)
            answers.append(answer.status_code)
        return answers


def _metadata(form: dict[str, str]) -> dict[str, str]:
    return {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}


def _found(thing: Json | None) -> JSONResponse:
    return JSONResponse(thing) if thing else _error(404, "invalid_request_error", "resource_missing")


def _error(status: int, kind: str, code: str) -> JSONResponse:
    return JSONResponse({"error": {"type": kind, "code": code, "message": code}}, status)


@pytest_asyncio.fixture
async def company(clock: Any) -> StripeServer:
    return StripeServer(clock)


@pytest_asyncio.fixture
async def stripe_url(company: StripeServer) -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(company.app(), log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    with suppress(asyncio.CancelledError):
        await serving


@pytest_asyncio.fixture
async def stack(
    stripe_url: str, stack_opener: Any, database_for: Any, sandbox_database: str, broker_namespace: str, amqp_url: str,
    clock: Any, keyring: Any,
) -> AsyncIterator[Stack]:  # fmt: skip
    database_url = await database_for("payment-service")
    settings = {"stripe_url": stripe_url, "stripe_api_key": "sk_test_local", "stripe_webhook_secret": SECRET}
    async with stack_opener(
        database_url, sandbox_database, broker_namespace, amqp_url, clock, keyring, **settings
    ) as opened:
        yield opened


def by_stripe(token: str | None = "pm_card_visa") -> Json:
    return {"type": "card", "provider": "stripe", **({"token": token} if token else {})}


async def status_of(stack: Stack, user_id: UUID, payment_id: str) -> str:
    answer = await stack.client.get(f"/v1/payments/{payment_id}", headers=stack.person(user_id))
    return str(answer.json()["status"])


async def test_a_token_pays_and_its_webhooks_change_nothing(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    paid = (await stack.pay(user_id, stack.booking.add_charge(user_id), by_stripe())).json()
    assert (paid["status"], paid["amount"]["amount"]) == ("succeeded", "612.40")
    assert await company.deliver(stack) + await company.deliver(stack) == [200, 200]
    assert len(await stack.events("payment.succeeded.v1")) == 1
    [intent] = company.intents.values()
    assert (intent["amount_received"], intent["currency"]) == (61240, "usd")
    await stack.assert_books_balance()


async def test_a_browser_confirms_and_the_webhook_ends_the_payment(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    paid = (await stack.pay(user_id, stack.booking.add_charge(user_id), by_stripe(None))).json()
    [intent] = company.intents.values()
    assert (paid["status"], paid["next_action"]["type"]) == ("requires_action", "redirect")
    assert paid["next_action"]["url"].endswith(f"#{intent['client_secret']}")
    company.confirm(intent["id"])
    assert await company.deliver(stack, "whsec_another") == [400]
    assert await status_of(stack, user_id, paid["id"]) == "requires_action"
    assert await company.deliver(stack) == [200]
    assert await status_of(stack, user_id, paid["id"]) == "succeeded"
    await stack.assert_books_balance()


async def test_a_decline_is_told_with_the_issuers_reason(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    paid = (await stack.pay(user_id, charge, by_stripe("pm_card_visa_chargeDeclinedInsufficientFunds"))).json()
    assert (paid["status"], paid["failure"]["code"]) == ("failed", "insufficient-funds")
    assert await company.deliver(stack) == [200]
    assert (await stack.pay(user_id, charge, by_stripe())).json()["status"] == "succeeded"


async def test_an_answer_that_is_lost_after_the_money_was_taken_is_found_again(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    company.lose_answers = True
    paid = (await stack.pay(user_id, stack.booking.add_charge(user_id), by_stripe())).json()
    assert paid["status"] == "processing"
    company.lose_answers = False
    stack.clock.advance(timedelta(seconds=61))
    await reconcile(stack.container.db, stack.container.providers, stack.clock)
    assert await status_of(stack, user_id, paid["id"]) == "succeeded"
    assert len(company.intents) == 1
    await stack.assert_books_balance()


async def test_a_refund_ends_by_stripes_word_and_a_later_failure_opens_it_again(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    charge = stack.booking.add_charge(user_id)
    await stack.pay(user_id, charge, by_stripe())
    body = {
        "booking_id": charge["booking_id"], "charge_id": charge["charge_id"], "user_id": str(user_id),
        "amount_minor": 40000, "currency": "USD", "reason": "cancellation",
    }  # fmt: skip
    path = f"/internal/v1/refunds/{new_id()}"
    for _ in range(2):
        assert (await stack.client.put(path, json=body, headers=stack.service())).json()["status"] == "pending"
    [refund] = company.refunds.values()
    assert (refund["amount"], refund["metadata"].keys()) == (40000, {"rihla_part"})
    company.events.clear()
    company.end_refund(refund["id"], "succeeded")
    assert await company.deliver(stack) == [200]
    assert (await stack.client.get(path, headers=stack.service())).json()["status"] == "succeeded"
    company.end_refund(refund["id"], "failed")
    assert await company.deliver(stack) == [200, 200]
    assert (await stack.client.get(path, headers=stack.service())).json()["status"] == "failed"
    await stack.assert_books_balance()


@pytest.mark.parametrize("token", ["pm_card_visa", None])
async def test_the_token_is_neither_stored_nor_part_of_an_answer(
    stack: Stack, company: StripeServer, user_id: UUID, token: str | None
) -> None:
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), by_stripe(token))
    assert "pm_card_visa" not in answer.text
    await company.deliver(stack)
    tables = await stack.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    for table in (row["table_name"] for row in tables):
        assert not await stack.sql(f"SELECT 1 FROM {table} AS r WHERE r::text LIKE '%pm_card_visa%'"), table
