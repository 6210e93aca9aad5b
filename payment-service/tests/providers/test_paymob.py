"""The Paymob adapter against answers in the documented shapes, and its callback through the service."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from payment_service.providers.signatures import paymob_signature
from payment_service.refunds.drive_refunds import drive_refunds
from rihla.kernel import new_id

SECRET = "paymob-hmac"


class PaymobLike(httpx.AsyncBaseTransport):
    """One intention and its transaction."""

    def __init__(self) -> None:
        self.paid = False
        self.refunded = 0
        self.refund_calls = 0
        self.redirects: list[str] = []
        self.lose_refund_answers = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread() or b"{}")
        if request.url.path == "/v1/intention/":
            assert body["special_reference"]
            self.redirects.append(body["redirection_url"])
            return httpx.Response(201, json={"id": "pi_test", "client_secret": "cs", "intention_order_id": 4778239})
        if request.url.path.endswith("transaction_inquiry"):
            if not self.paid:
                return httpx.Response(404, json={"detail": "Not found."})
            return httpx.Response(200, json=transaction(refunded_amount_cents=self.refunded))
        self.refund_calls += 1
        self.refunded += int(body["amount_cents"])
        if self.lose_refund_answers:
            raise httpx.ReadTimeout("the answer was lost")
        return httpx.Response(201, json={"id": 99, "success": True, "pending": False, "is_refund": True})


def transaction(**changes: Any) -> dict[str, Any]:
    return {
        "amount_cents": 61240, "created_at": "2026-12-01T08:00:01", "currency": "EGP", "error_occured": False,
        "has_parent_transaction": False, "id": 2556706, "integration_id": 6741, "is_3d_secure": True, "is_auth": False,
        "is_capture": False, "is_refunded": False, "is_standalone_payment": True, "is_voided": False,
        "order": {"id": 4778239}, "owner": 4705, "pending": False,
        "source_data": {"pan": "2346", "sub_type": "MasterCard", "type": "card"}, "success": True, **changes,
    }  # fmt: skip


@pytest_asyncio.fixture
async def server() -> PaymobLike:
    return PaymobLike()


@pytest_asyncio.fixture
async def stack(
    request: pytest.FixtureRequest, database_for: Any, sandbox_database: str, broker_namespace: str, amqp_url: str,
    clock: Any, keyring: Any,
    server: PaymobLike,
) -> AsyncIterator[Any]:  # fmt: skip
    opener = request.getfixturevalue("stack_opener")
    url = await database_for("payment-service")
    changes = {
        "paymob_secret_key": "sk", "paymob_public_key": "pk", "paymob_integration_ids": "6741",
        "paymob_hmac_secret": f"next,{SECRET}", "paymob_url": "https://paymob.test", "transports": {"paymob": server},
    }  # fmt: skip
    async with opener(url, sandbox_database, broker_namespace, amqp_url, clock, keyring, **changes) as opened:
        yield opened


async def pay(stack: Any, user_id: UUID) -> dict[str, Any]:
    charge = stack.booking.add_charge(user_id, 61240, "EGP")
    answer = await stack.pay(user_id, charge, {"type": "card", "provider": "paymob"})
    assert answer.status_code == 201, answer.text
    return {**charge, **answer.json()}


async def callback(stack: Any, found: dict[str, Any], hmac: str | None = None) -> Any:
    mark = paymob_signature(SECRET, found) if hmac is None else hmac
    body = {"type": "TRANSACTION", "obj": {**found, "merchant_order_id": "never believed"}}
    return await stack.client.post("/v1/webhooks/paymob", params={"hmac": mark}, json=body)


async def test_a_verified_callback_ends_the_payment_once(stack: Any, user_id: UUID) -> None:
    payment = await pay(stack, user_id)
    assert payment["status"] == "requires_action"
    assert "clientSecret=cs" in payment["next_action"]["url"]
    for _ in range(2):
        assert (await callback(stack, transaction())).status_code == 200
    read = await stack.client.get(f"/v1/payments/{payment['id']}", headers=stack.person(user_id))
    assert read.json()["status"] == "succeeded"
    assert read.json()["parts"][0]["card_last4"] == "2346"
    assert len(await stack.events("payment.succeeded.v1")) == 1
    await stack.assert_books_balance()


def as_redirect(found: dict[str, Any]) -> dict[str, str]:
    """The query Paymob sends the browser back with: the same fields, flat and as text."""
    flat = {name: value for name, value in found.items() if name not in ("order", "source_data")}
    flat |= {"order": found["order"]["id"]} | {f"source_data.{name}": it for name, it in found["source_data"].items()}
    return {name: str(it).lower() if isinstance(it, bool) else str(it) for name, it in flat.items()}


async def test_a_redirect_that_is_passed_on_ends_the_payment_once_with_its_callback(stack: Any, user_id: UUID) -> None:
    payment = await pay(stack, user_id)
    query = as_redirect(transaction())
    forged = await stack.client.post("/v1/webhooks/paymob", params={**query, "hmac": "00"})
    changed = {**query, "amount_cents": "1", "hmac": paymob_signature(SECRET, query)}
    assert [forged.status_code, (await stack.client.post("/v1/webhooks/paymob", params=changed)).status_code] == [
        400
    ] * 2
    passed_on = await stack.client.post(
        "/v1/webhooks/paymob", params={**query, "hmac": paymob_signature(SECRET, transaction())}
    )
    assert passed_on.status_code == 200, passed_on.text
    read = await stack.client.get(f"/v1/payments/{payment['id']}", headers=stack.person(user_id))
    [part] = read.json()["parts"]
    assert (read.json()["status"], part["card_brand"], part["card_last4"]) == ("succeeded", "mastercard", "2346")
    assert (await callback(stack, transaction())).status_code == 200
    assert len(await stack.sql("SELECT 1 FROM provider_event")) == 1
    assert len(await stack.events("payment.succeeded.v1")) == 1


@pytest.mark.parametrize("return_url", [None, "https://app.example/back"])
async def test_the_browser_comes_back_to_a_page_and_never_to_the_callback(
    stack: Any, server: PaymobLike, user_id: UUID, return_url: str | None
) -> None:
    charge = stack.booking.add_charge(user_id, 61240, "EGP")
    body = {"booking_id": charge["booking_id"], "method": {"type": "card", "provider": "paymob"}}
    await stack.client.post("/v1/payments", json={**body, "return_url": return_url}, headers=stack.person(user_id))
    assert server.redirects == [return_url or stack.settings.public_url]


@pytest.mark.parametrize("changes", [{"amount_cents": 61241}, {"success": False}, {"order": {"id": 1}}])
async def test_a_callback_with_a_changed_field_is_refused(stack: Any, user_id: UUID, changes: dict[str, Any]) -> None:
    await pay(stack, user_id)
    answer = await callback(stack, transaction(**changes), hmac=paymob_signature(SECRET, transaction()))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-signature")


async def test_a_signed_callback_of_another_amount_is_not_believed(stack: Any, user_id: UUID) -> None:
    payment = await pay(stack, user_id)
    assert (await callback(stack, transaction(amount_cents=1))).status_code == 200
    read = await stack.client.get(f"/v1/payments/{payment['id']}", headers=stack.person(user_id))
    assert read.json()["failure"]["code"] == "amount-mismatch"


async def test_a_refund_names_the_transaction_that_took_the_money(
    stack: Any, server: PaymobLike, user_id: UUID
) -> None:
    payment = await pay(stack, user_id)
    await callback(stack, transaction())
    server.paid = True
    body = {name: payment[name] for name in ("booking_id", "charge_id", "user_id", "currency")}
    answer = await stack.client.put(
        f"/internal/v1/refunds/{payment['id']}",
        json={**body, "amount_minor": 1000, "reason": "cancellation"},
        headers=stack.service(),
    )
    assert answer.json()["status"] == "succeeded", answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"obj": 5}'])
async def test_a_body_that_is_no_transaction_is_400(stack: Any, body: bytes) -> None:
    answer = await stack.client.post("/v1/webhooks/paymob?hmac=00", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-signature")


async def put_refund(stack: Any, payment: dict[str, Any], refund_id: UUID, amount: int) -> dict[str, Any]:
    body = {name: payment[name] for name in ("booking_id", "charge_id", "user_id", "currency")}
    answer = await stack.client.put(
        f"/internal/v1/refunds/{refund_id}",
        json={**body, "amount_minor": amount, "reason": "cancellation"},
        headers=stack.service(),
    )
    return dict(answer.json())


async def drive(stack: Any) -> None:
    stack.clock.advance(timedelta(hours=1))
    await drive_refunds(stack.container.db, stack.container.providers, stack.clock)


async def test_a_refund_whose_answer_was_lost_is_looked_up_and_not_sent_twice(
    stack: Any, server: PaymobLike, user_id: UUID
) -> None:
    payment = await pay(stack, user_id)
    await callback(stack, transaction())
    server.paid = server.lose_refund_answers = True
    first, second = new_id(), new_id()
    assert (await put_refund(stack, payment, first, 1000))["status"] == "pending"
    server.lose_refund_answers = False
    assert (await put_refund(stack, payment, second, 1000))["status"] == "pending"  # waits for the first one's end
    assert server.refund_calls == 1
    await drive(stack)
    await drive(stack)
    assert (server.refund_calls, server.refunded) == (2, 2000)
    assert [row["status"] for row in await stack.sql("SELECT status FROM refund")] == ["succeeded", "succeeded"]
    await stack.assert_books_balance()


async def test_a_refund_that_never_arrived_is_sent_again(stack: Any, server: PaymobLike, user_id: UUID) -> None:
    payment = await pay(stack, user_id)
    await callback(stack, transaction())
    server.paid = server.lose_refund_answers = True
    await put_refund(stack, payment, new_id(), 1000)
    server.refunded, server.lose_refund_answers = 0, False
    await drive(stack)
    assert (server.refund_calls, server.refunded) == (2, 1000)


async def test_a_refund_nobody_can_tell_apart_falls_to_operations(
    stack: Any, server: PaymobLike, user_id: UUID
) -> None:
    payment = await pay(stack, user_id)
    await callback(stack, transaction())
    server.paid = server.lose_refund_answers = True
    await put_refund(stack, payment, new_id(), 1000)
    server.refunded = 700  # somebody refunded by hand at Paymob
    await drive(stack)
    [part] = await stack.sql("SELECT status, last_error FROM refund_part")
    assert tuple(part) == ("failed", "refund-unclear")
    assert server.refund_calls == 1
