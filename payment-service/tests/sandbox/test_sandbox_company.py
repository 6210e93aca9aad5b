"""The sandbox company on its own: alive without payment-service, idempotent, its webhooks signed and repeated."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from payment_service.providers.signatures import verify_timestamped
from rihla.kernel import FixedClock, new_id
from rihla.testing import eventually, running
from sandbox_provider.cards import luhn
from sandbox_provider.deliveries import Due, parcels, pause_after
from sandbox_provider.express_lane import PaymentLane
from sandbox_provider.main import create_app
from sandbox_provider.settings import Settings


class Customer(httpx.AsyncBaseTransport):
    """The customer's webhook endpoint, which can be down."""

    def __init__(self) -> None:
        self.up = False
        self.received: list[tuple[bytes, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.up:
            raise httpx.ConnectError("down")
        self.received.append((await request.aread(), request.headers["sandbox-signature"]))
        return httpx.Response(200)

    def told(self) -> list[dict[str, Any]]:
        """Every event, whether it came alone or with others."""
        bodies = [json.loads(found) for found, _ in self.received]
        return [event for body in bodies for event in (body if isinstance(body, list) else [body])]

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.told()]


@pytest.fixture
def customer() -> Customer:
    return Customer()


@pytest_asyncio.fixture
async def sandbox(sandbox_database: str, clock: FixedClock, customer: Customer) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        database_url=sandbox_database, webhook_url="http://customer/hook", webhook_secret="new,old", poll_seconds=0.02
    )
    async with running(create_app(settings, clock=clock, webhook_transport=customer)) as client:
        client.headers["authorization"] = "Bearer sk_sandbox_local"
        yield client


def body(number: str = "4242424242424242", **changes: Any) -> dict[str, Any]:
    card = {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "123"}
    return {"amount_minor": 1000, "currency": "USD", "card": card, **changes}


async def create(sandbox: httpx.AsyncClient, key: str, **changes: Any) -> httpx.Response:
    return await sandbox.post("/v1/payments", json=body(**changes), headers={"idempotency-key": key})


async def test_the_same_key_takes_money_once_even_at_the_same_time(sandbox: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(create(sandbox, "k") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await create(sandbox, "k", amount_minor=1001)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key_reused")
    other_card = await create(sandbox, "k", number="4000000000000002")
    assert other_card.status_code == 422


async def test_the_lane_answers_as_the_documented_route(sandbox: httpx.AsyncClient) -> None:
    asked = [
        json.dumps(one).encode() for one in (body(), body("4000000000000002"), body("1"), body(amount_minor=0), [])
    ]
    heads = [{}, {"authorization": ""}, {"idempotency-key": ""}, {"idempotency-key": "k" * 256}]

    async def answers(name: str) -> list[Any]:
        found = []
        for at, content in enumerate([*asked, b"", b"{"]):
            for head in heads:
                headers = {"idempotency-key": f"{name}{at}", "content-type": "application/json", **head}
                answer = await sandbox.post("/v1/payments", content=content, headers=headers)
                shown = {k: v for k, v in answer.json().items() if k not in ("id", "idempotency_key")}
                found.append((answer.status_code, answer.headers["content-type"], shown))
        return found

    through_the_lane = await answers("lane")
    routes = sandbox._transport.app.router.routes  # type: ignore[attr-defined]
    [lane] = [route for route in routes if isinstance(route, PaymentLane)]
    routes.remove(lane)
    assert through_the_lane == await answers("documented")
    assert {status for status, _, _ in through_the_lane} == {201, 401, 422}


async def test_a_cancelled_key_never_takes_money(sandbox: httpx.AsyncClient) -> None:
    await sandbox.post("/v1/payment-cancellations", json={"idempotency_key": "k"})
    late = await create(sandbox, "k")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "key_cancelled")


async def test_a_captured_payment_is_not_cancelled(sandbox: httpx.AsyncClient) -> None:
    await create(sandbox, "k")
    answer = await sandbox.post("/v1/payment-cancellations", json={"idempotency_key": "k"})
    assert answer.json()["status"] == "succeeded"


async def test_refunds_are_idempotent_and_never_exceed_the_payment(sandbox: httpx.AsyncClient) -> None:
    paid = (await create(sandbox, "k")).json()["id"]

    async def refund(key: str, amount: int) -> httpx.Response:
        return await sandbox.post(
            "/v1/refunds", json={"payment_id": paid, "amount_minor": amount}, headers={"idempotency-key": key}
        )

    answers = await asyncio.gather(*(refund("same", 400) for _ in range(4)), *(refund(f"r{n}", 400) for n in range(4)))
    assert len({answer.status_code for answer in answers[:4]}) == 1
    assert {answer.status_code for answer in answers} == {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 2
    found = await sandbox.get(f"/v1/payments/{paid}")
    assert found.json()["refunded_minor"] == 800


async def test_webhooks_are_signed_with_every_secret_and_repeated_until_answered(
    sandbox: httpx.AsyncClient, customer: Customer, clock: FixedClock, sandbox_database: str
) -> None:
    await create(sandbox, "k")

    async def attempts() -> int:
        import asyncpg

        connection = await asyncpg.connect(sandbox_database)
        found = await connection.fetchval("SELECT min(attempts) FROM delivery")
        await connection.close()
        return int(found)

    await eventually(lambda: tried(attempts, 1))
    assert customer.received == []
    customer.up = True
    clock.advance(timedelta(seconds=20))
    await eventually(lambda: len(customer.received) >= 1)
    assert set(customer.kinds()) == {"payment.succeeded"}
    for found, header in customer.received:
        for secret in ("new", "old"):
            assert verify_timestamped(header, found, secrets=[secret], now=clock.now())


async def test_a_payment_that_waits_for_its_owner_is_told_of_now_and_at_its_end(
    sandbox: httpx.AsyncClient, customer: Customer
) -> None:
    customer.up = True
    made = (await create(sandbox, "k", number="4000000000003220")).json()
    token = made["confirmation_url"].partition("token=")[2]
    await sandbox.post(f"/confirm/{made['id']}", data={"token": token, "answer": "approve"})
    await eventually(lambda: len(customer.kinds()) >= 2)
    assert sorted(customer.kinds()) == ["payment.created", "payment.succeeded"]


async def test_each_payment_of_one_moment_is_stored_and_told_of_once(
    sandbox: httpx.AsyncClient, customer: Customer
) -> None:
    customer.up = True
    keys = [f"k{n}" for n in range(12)]
    made = await asyncio.gather(*(create(sandbox, key) for key in keys))
    await eventually(lambda: len(customer.told()) >= 12)
    assert sorted(one["data"]["id"] for one in customer.told()) == sorted(answer.json()["id"] for answer in made)
    assert {one["data"]["idempotency_key"] for one in customer.told()} == set(keys)


def test_fresh_events_travel_together_and_what_failed_before_alone() -> None:
    fresh = [Due(f"e{n}", "http://a", 0, "{}") for n in range(23)]
    other, failed = Due("o", "http://b", 0, "{}"), [Due(f"f{n}", "http://a", 1, "{}") for n in range(2)]
    found = parcels([failed[0], *fresh, other, failed[1]])
    assert [len(parcel) for parcel in found] == [20, 3, 1, 1, 1]
    assert [one for parcel in found for one in parcel] == [*fresh, other, *failed]


async def tried(attempts: Any, count: int) -> bool:
    return bool(await attempts() >= count)


async def test_strangers_are_refused(sandbox: httpx.AsyncClient) -> None:
    for header in ("", "Bearer wrong", "Bearer sk_sandbox_locál"):
        answer = await sandbox.get("/v1/payments/pay_x", headers={"authorization": header.encode()})
        assert answer.status_code == 401


async def test_a_wrong_confirmation_token_shows_and_changes_nothing(sandbox: httpx.AsyncClient) -> None:
    made = (await create(sandbox, "k", number="4000000000003220")).json()
    answer = await sandbox.post(f"/confirm/{made['id']}", data={"token": "guess", "answer": "approve"})
    assert answer.status_code == 404
    assert (await sandbox.get(f"/v1/payments/{made['id']}")).json()["status"] == "requires_action"


async def test_invalid_input_names_fields_and_never_repeats_them(sandbox: httpx.AsyncClient) -> None:
    answer = await create(
        sandbox, "k", card={"number": "4242424242424242", "exp_month": 99, "exp_year": 2031, "cvc": "1"}
    )
    assert answer.status_code == 422
    assert "4242" not in answer.text
    assert "exp_month" in answer.text


@pytest.mark.parametrize("number", ["4242424242424242", "4000000000000002", "4000000000009995", "4000000000003220"])
def test_test_cards_have_a_right_check_digit(number: str) -> None:
    assert luhn(number)
    assert not luhn(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_pauses_between_deliveries_grow_to_an_hour() -> None:
    assert timedelta(seconds=0.9) <= pause_after(1) <= timedelta(seconds=1.1)
    assert pause_after(30) <= timedelta(hours=1.1)
    assert new_id()
