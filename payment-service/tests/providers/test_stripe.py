"""The Stripe adapter against a small server that answers in the documented shapes."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from payment_service.providers.interface import (
    InvalidSignature,
    ProviderRefused,
    ProviderSilent,
    RawWebhook,
    RefundOrder,
    TakeOrder,
)
from payment_service.providers.stripe import StripeProvider
from rihla.kernel import new_id

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
KEY = new_id()


class StripeLike(httpx.AsyncBaseTransport):
    """Keeps intents by idempotency key and answers as https://docs.stripe.com/api documents."""

    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []
        self.status_override: int | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = {name: values[0] for name, values in parse_qs((await request.aread()).decode()).items()}
        if self.status_override:
            return httpx.Response(self.status_override, json={"error": {"type": "api_error"}})
        path, key = request.url.path, request.headers.get("idempotency-key", "")
        if request.method == "POST" and path == "/v1/payment_intents":
            return self._create(body, key)
        if path == "/v1/payment_intents/search":
            wanted = str(request.url.params["query"]).split("'")[3]
            found = [i for i in self.intents.values() if i["metadata"]["rihla_part"] == wanted]
            return httpx.Response(200, json={"object": "search_result", "data": found})
        if path.endswith("/cancel"):
            intent = next(i for i in self.intents.values() if i["id"] == path.split("/")[3])
            intent["status"] = "canceled"
            return httpx.Response(200, json=intent)
        if path.startswith("/v1/payment_intents/"):
            found = [i for i in self.intents.values() if i["id"] == path.split("/")[3]]
            return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json={"error": {"code": "x"}})
        if request.method == "POST" and path == "/v1/refunds":
            refund = self.refunds.setdefault(
                key,
                {
                    "id": "re_1", "object": "refund", "status": "pending", "amount": int(body["amount"]),
                    "metadata": {"rihla_part": body["metadata[rihla_part]"]},
                },
            )  # fmt: skip
            return httpx.Response(200, json=refund)
        return httpx.Response(200, json={"object": "list", "data": list(self.refunds.values())})

    def _create(self, body: dict[str, str], key: str) -> httpx.Response:
        token = body.get("payment_method", "")
        intent = self.intents.setdefault(
            key,
            {
                "id": "pi_1", "object": "payment_intent", "amount": int(body["amount"]), "amount_received": 0,
                "currency": body["currency"], "client_secret": "pi_1_secret", "status": "requires_payment_method",
                "metadata": {"rihla_part": body["metadata[rihla_part]"]}, "next_action": None,
                "last_payment_error": None, "payment_method": token or None,
            },
        )  # fmt: skip
        if token == "pm_card_visa":
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        if token == "pm_card_threeDSecure2Required":
            intent |= {
                "status": "requires_action",
                "next_action": {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3ds"}},
            }
        if token == "pm_card_chargeDeclined":
            error = {
                "type": "card_error", "code": "card_declined", "decline_code": "generic_decline",
                "message": "Your card was declined.", "payment_intent": intent,
            }  # fmt: skip
            return httpx.Response(402, json={"error": error})
        if token == "pm_unknown":
            return httpx.Response(400, json={"error": {"type": "invalid_request_error", "code": "resource_missing"}})
        return httpx.Response(200, json=intent)


@pytest_asyncio.fixture
async def server() -> StripeLike:
    return StripeLike()


@pytest_asyncio.fixture
async def stripe(server: StripeLike) -> AsyncIterator[StripeProvider]:
    provider = StripeProvider(
        "https://stripe.test", api_key="sk_test", webhook_secrets=["whsec_a", "whsec_b"], public_url="https://rihla.test",
        transport=server,
    )  # fmt: skip
    yield provider
    await provider.close()


def order(token: str | None) -> TakeOrder:
    return TakeOrder(KEY, new_id(), 61240, "USD", "Rihla K7QX2M", token=token)


async def test_a_good_token_is_captured_with_our_key(stripe: StripeProvider, server: StripeLike) -> None:
    outcome = await stripe.take(order("pm_card_visa"))
    assert (outcome.status, outcome.amount_minor, outcome.currency) == ("succeeded", 61240, "USD")
    assert server.requests[0].headers["idempotency-key"] == str(KEY)
    assert (await stripe.take(order("pm_card_visa"))).reference == outcome.reference
    assert len(server.intents) == 1


async def test_three_d_secure_asks_the_person_to_act(stripe: StripeProvider) -> None:
    outcome = await stripe.take(order("pm_card_threeDSecure2Required"))
    assert (outcome.status, outcome.action_url) == ("requires_action", "https://hooks.stripe.com/3ds")


async def test_without_a_token_the_browser_confirms_with_the_client_secret(stripe: StripeProvider) -> None:
    outcome = await stripe.take(order(None))
    assert outcome.action_url == "https://rihla.test/pay/stripe#pi_1_secret"


async def test_a_decline_is_an_outcome_and_a_bad_request_a_refusal(stripe: StripeProvider) -> None:
    outcome = await stripe.take(order("pm_card_chargeDeclined"))
    assert (outcome.status, outcome.failure_code, outcome.reference) == ("failed", "generic-decline", "pi_1")
    with pytest.raises(ProviderRefused):
        await stripe.take(order("pm_unknown"))


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_an_outage_is_silence_not_a_decline(stripe: StripeProvider, server: StripeLike, status: int) -> None:
    server.status_override = status
    with pytest.raises(ProviderSilent):
        await stripe.take(order("pm_card_visa"))


async def test_an_intent_is_found_by_our_key_and_cancelled_while_it_is_open(stripe: StripeProvider) -> None:
    assert await stripe.look_up(KEY, None) is None
    assert await stripe.cancel(KEY, None) is None
    await stripe.take(order(None))
    found = await stripe.look_up(KEY, None)
    assert found is not None
    assert found.status == "requires_action"
    cancelled = await stripe.cancel(KEY, "pi_1")
    assert cancelled is not None
    assert cancelled.status == "failed"


async def test_a_refund_waits_for_stripes_word(stripe: StripeProvider) -> None:
    asked = RefundOrder(new_id(), KEY, "pi_1", 100, "USD")
    assert (await stripe.refund(asked)).status == "processing"
    again = await stripe.look_up_refund(asked, None)
    assert again is not None
    assert again.reference == "re_1"


def webhook(kind: str, thing: dict[str, Any], secret: str = "whsec_b", t: int | None = None) -> RawWebhook:
    body = json.dumps({"id": "evt_1", "type": kind, "data": {"object": thing}}).encode()
    t = int(NOW.timestamp()) if t is None else t
    mark = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    return RawWebhook(body, {"stripe-signature": f"t={t},v1={mark}"}, {})


def intent(**changes: Any) -> dict[str, Any]:
    return {
        "id": "pi_1", "object": "payment_intent", "amount": 61240, "amount_received": 61240, "currency": "usd",
        "status": "succeeded", "metadata": {"rihla_part": str(KEY)}, **changes,
    }  # fmt: skip


async def test_webhooks_of_intents_and_refunds_are_understood(stripe: StripeProvider) -> None:
    [event] = stripe.read_webhook(webhook("payment_intent.succeeded", intent()), NOW)
    assert (event.about, event.key) == ("taking", KEY)
    assert event.taking is not None
    assert event.taking.status == "succeeded"
    declined = intent(status="requires_payment_method", last_payment_error={"decline_code": "insufficient_funds"})
    [event] = stripe.read_webhook(webhook("payment_intent.payment_failed", declined), NOW)
    assert event.taking is not None
    assert (event.taking.status, event.taking.failure_code) == ("failed", "insufficient-funds")
    refund = {"id": "re_1", "object": "refund", "status": "failed", "metadata": {"rihla_part": str(KEY)}}
    [event] = stripe.read_webhook(webhook("refund.failed", refund), NOW)
    assert event.refund is not None
    assert event.refund.status == "failed"
    [event] = stripe.read_webhook(webhook("customer.created", {"object": "customer"}), NOW)
    assert event.about == "other"


@pytest.mark.parametrize("raw", [webhook("x", {}, "whsec_c"), webhook("x", {}, t=1), RawWebhook(b"{}", {}, {})])
async def test_a_webhook_that_cannot_be_verified_is_refused(stripe: StripeProvider, raw: RawWebhook) -> None:
    with pytest.raises(InvalidSignature):
        stripe.read_webhook(raw, NOW)


async def test_a_foreign_intent_has_no_key_of_ours(stripe: StripeProvider) -> None:
    [event] = stripe.read_webhook(webhook("payment_intent.succeeded", intent(metadata={"rihla_part": "?"})), NOW)
    assert event.key is None
    assert isinstance(KEY, UUID)
