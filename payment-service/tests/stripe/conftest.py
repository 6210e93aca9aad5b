"""A small Stripe-compatible server on a real socket, and the whole service against it.

The server keeps payment intents, refunds, customers, setups and saved cards, honours idempotency keys, checks the API
key and the version, and signs its events, all as https://docs.stripe.com/api and https://docs.stripe.com/webhooks
describe. What it says about cards goes by Stripe's documented test tokens.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

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
    customers: dict[str, Json] = field(default_factory=dict)
    setups: dict[str, Json] = field(default_factory=dict)
    methods: dict[str, Json] = field(default_factory=dict)
    answered: dict[str, tuple[str, int, Json]] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    lose_answers: bool = False
    lose_answers_of: str = ""
    down: bool = False

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
                Route("/v1/customers", self.create_customer, methods=["POST"]),
                Route("/v1/customers/{id}", self.delete_customer, methods=["DELETE"]),
                Route("/v1/setup_intents", self.create_setup, methods=["POST"]),
                Route("/v1/setup_intents/{id}", self.read_setup, methods=["GET"]),
                Route("/v1/setup_intents/{id}/cancel", self.cancel_setup, methods=["POST"]),
                Route("/v1/payment_methods/{id}", self.read_method, methods=["GET"]),
                Route("/v1/payment_methods/{id}", self.mark_method, methods=["POST"]),
                Route("/v1/payment_methods/{id}/detach", self.detach, methods=["POST"]),
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
        lost = self.lose_answers or request.url.path == self.lose_answers_of
        return _error(500, "api_error", "lost") if lost else JSONResponse(answer, status)

    def _new_intent(self, form: dict[str, str]) -> tuple[int, Json]:
        intent_id = f"pi_{new_id().hex}"
        intent: Json = {
            "id": intent_id, "object": "payment_intent", "amount": int(form["amount"]), "amount_received": 0,
            "currency": form["currency"], "client_secret": f"{intent_id}_secret", "livemode": False,
            "status": "requires_payment_method", "metadata": _metadata(form), "next_action": None,
            "last_payment_error": None, "payment_method": None, "customer": form.get("customer"),
        }  # fmt: skip
        redirects = form.get("automatic_payment_methods[allow_redirects]") != "never"
        if form.get("confirm") == "true" and redirects and "return_url" not in form:
            return 400, {"error": {"type": "invalid_request_error", "code": "return_url_required"}}
        if form.get("customer") and self.methods[form["payment_method"]]["customer"] != form["customer"]:
            return 400, {"error": {"type": "invalid_request_error", "code": "payment_method_unattached"}}
        self.intents[intent_id] = intent
        if form.get("off_session") == "true" and self.methods[form["payment_method"]]["wants_holder"]:
            return self._refuse_without_holder(intent)
        if form.get("confirm") == "true":
            return self._confirm(intent, form["payment_method"])
        return 200, intent

    def confirm(self, intent_id: str, token: str = "pm_card_visa") -> None:
        """What the browser does on the payment page, with the intent's client secret."""
        self._confirm(self.intents[intent_id], token)

    def _confirm(self, intent: Json, token: str) -> tuple[int, Json]:
        if token == "pm_card_visa" or token in self.methods:
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

    def _refuse_without_holder(self, intent: Json) -> tuple[int, Json]:
        error = {"type": "card_error", "code": "authentication_required", "message": "Your card was declined."}
        intent["last_payment_error"] = error
        self.tell("payment_intent.payment_failed", intent)
        return 402, {"error": error | {"payment_intent": dict(intent)}}

    async def create_customer(self, request: Request) -> JSONResponse:
        return await self._once(request, self._new_customer)

    def _new_customer(self, form: dict[str, str]) -> tuple[int, Json]:
        customer: Json = {"id": f"cus_{new_id().hex}", "object": "customer", "metadata": _metadata(form)}
        self.customers[customer["id"]] = customer
        return 200, customer

    async def delete_customer(self, request: Request) -> JSONResponse:
        gone = self.customers.pop(request.path_params["id"], None)
        return _found(gone and {"id": gone["id"], "object": "customer", "deleted": True})

    async def create_setup(self, request: Request) -> JSONResponse:
        return await self._once(request, self._new_setup)

    def _new_setup(self, form: dict[str, str]) -> tuple[int, Json]:
        if form["customer"] not in self.customers or form["usage"] != "off_session":
            return 400, {"error": {"type": "invalid_request_error", "code": "resource_missing"}}
        setup_id = f"seti_{new_id().hex}"
        setup: Json = {
            "id": setup_id, "object": "setup_intent", "client_secret": f"{setup_id}_secret", "usage": form["usage"],
            "customer": form["customer"], "status": "requires_payment_method", "payment_method": None,
            "last_setup_error": None, "metadata": _metadata(form),
        }  # fmt: skip
        self.setups[setup_id] = setup
        return 200, setup

    async def read_setup(self, request: Request) -> JSONResponse:
        return self._unless_down(self.setups.get(request.path_params["id"]))

    async def cancel_setup(self, request: Request) -> JSONResponse:
        setup = self.setups[request.path_params["id"]]
        if setup["status"] == "succeeded":
            return _error(400, "invalid_request_error", "setup_intent_unexpected_state")
        setup["status"] = "canceled"
        return self._unless_down(setup)

    async def read_method(self, request: Request) -> JSONResponse:
        return self._unless_down(self.methods.get(request.path_params["id"]))

    async def mark_method(self, request: Request) -> JSONResponse:
        method = self.methods[request.path_params["id"]]
        method["metadata"] |= _metadata(dict(parse_qsl((await request.body()).decode())))
        return self._unless_down(method)

    async def detach(self, request: Request) -> JSONResponse:
        """A second time is an error, as documented."""
        if self.down:
            return _error(500, "api_error", "down")
        method = self.methods[request.path_params["id"]]
        if method["customer"] is None:
            return _error(400, "invalid_request_error", "payment_method_unattached")
        method["customer"] = None
        self.tell("payment_method.detached", method)
        return _error(500, "api_error", "lost") if self.lose_answers else JSONResponse(method)

    def enter_card(self, setup_id: str, *, wants_holder: bool = False) -> str:
        """What the browser does with the setup's client secret; the token of the card."""
        setup, token = self.setups[setup_id], f"pm_{new_id().hex}"
        card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2031}
        self.methods[token] = {
            "id": token, "object": "payment_method", "customer": setup["customer"], "card": card, "metadata": {},
            "wants_holder": wants_holder,
        }  # fmt: skip
        setup |= {"status": "succeeded", "payment_method": token}
        self.tell("setup_intent.succeeded", setup)
        return token

    def setup_of(self, method_id: str) -> Json:
        """The setup that was begun for a method of ours."""
        [setup] = [one for one in self.setups.values() if one["metadata"]["rihla_method"] == method_id]
        return setup

    def decline_card(self, setup_id: str) -> None:
        """The bank refuses the card that was entered; another may be."""
        setup = self.setups[setup_id]
        setup["last_setup_error"] = {"type": "card_error", "code": "card_declined"}
        self.tell("setup_intent.setup_failed", setup)

    def _unless_down(self, thing: Json | None) -> JSONResponse:
        return _error(500, "api_error", "down") if self.down else _found(thing)

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
