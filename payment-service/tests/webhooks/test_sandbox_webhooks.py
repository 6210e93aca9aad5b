"""Webhooks of the sandbox company: verified, stored once, in any order."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.webhooks.receive import retry_pending
from rihla.kernel import new_id
from sandbox_provider.signing import signature_header

Stack = Any
SECRET = "whsec_sandbox_local"


def card(number: str) -> dict[str, Any]:
    return {
        "type": "card",
        "provider": "sandbox",
        "card": {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"},
    }


def event(part_id: object, kind: str = "payment.succeeded", event_id: str = "evt_1", **changes: Any) -> bytes:
    data = {
        "id": "pay_x", "idempotency_key": str(part_id), "amount_minor": 61240, "currency": "USD", "reference": "",
        "status": "succeeded", "brand": "visa", "last4": "0259", **changes,
    }  # fmt: skip
    return json.dumps({"id": event_id, "type": kind, "created": 0, "data": data}).encode()


async def post(stack: Stack, body: bytes, *, header: str | None = None, at: int = 0) -> Any:
    now = int(stack.clock.now().timestamp()) + at
    signed = signature_header(body, timestamp=now, secrets=[SECRET]) if header is None else header
    return await stack.client.post("/v1/webhooks/sandbox", content=body, headers={"Sandbox-Signature": signed})


async def processing(stack: Stack, user_id: UUID, number: str = "4000000000000259") -> tuple[str, UUID]:
    answer = (await stack.pay(user_id, stack.booking.add_charge(user_id), card(number))).json()
    [part] = await stack.sql(
        "SELECT id, provider_reference FROM payment_part WHERE payment_id = $1", UUID(answer["id"])
    )
    return answer["id"], part["id"]


async def status(stack: Stack, payment_id: str) -> str:
    [row] = await stack.sql("SELECT status FROM payment WHERE id = $1", UUID(payment_id))
    return str(row["status"])


@pytest.mark.parametrize(
    ("header", "at"),
    [("", 0), ("t=1,v1=00", 0), (None, -301), (None, 301)],
    ids=["missing", "wrong", "stale", "from the future"],
)
async def test_what_cannot_be_verified_is_400_and_not_stored(
    stack: Stack, user_id: UUID, header: str | None, at: int
) -> None:
    payment_id, part_id = await processing(stack, user_id)
    answer = await post(stack, event(part_id), header=header, at=at)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-signature")
    assert await stack.sql("SELECT 1 FROM provider_event") == []
    assert await status(stack, payment_id) == "processing"


async def test_a_body_changed_by_one_byte_is_refused(stack: Stack, user_id: UUID) -> None:
    _, part_id = await processing(stack, user_id)
    body = event(part_id)
    signed = signature_header(body, timestamp=int(stack.clock.now().timestamp()), secrets=[SECRET])
    assert (await post(stack, body.replace(b"61240", b"61241"), header=signed)).status_code == 400


async def test_a_repeated_webhook_changes_nothing(stack: Stack, user_id: UUID) -> None:
    payment_id, part_id = await processing(stack, user_id)
    answers = await asyncio.gather(*(post(stack, event(part_id)) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert await status(stack, payment_id) == "succeeded"
    assert len(await stack.events("payment.succeeded.v1")) == 1
    assert len(await stack.sql("SELECT 1 FROM provider_event")) == 1
    await stack.assert_books_balance()


async def test_a_webhook_of_several_events_handles_each_as_if_it_had_come_alone(stack: Stack, user_id: UUID) -> None:
    (paid, first), (also_paid, second), (declined, third) = [await processing(stack, user_id) for _ in range(3)]
    refusal = event(third, "payment.failed", "evt_3", status="declined", decline_code="card_declined")
    events = [
        event(first, event_id="evt_1"),
        event(second, event_id="evt_2"),
        refusal,
        event(new_id(), "other", "evt_4"),
    ]
    for _ in range(2):
        assert (await post(stack, b"[" + b",".join(events) + b"]")).status_code == 200
    ends = [await status(stack, payment_id) for payment_id in (paid, also_paid, declined)]
    assert ends == ["succeeded", "succeeded", "failed"]
    assert len(await stack.sql("SELECT 1 FROM provider_event")) == 4
    assert len(await stack.events("payment.succeeded.v1")) == 2
    await stack.assert_books_balance()


@pytest.mark.parametrize("body", [b"[1]", b"[{}]", b'[{"id": "e", "type": "t"}]', b"3"])
async def test_an_array_of_anything_but_events_is_refused_whole(stack: Stack, user_id: UUID, body: bytes) -> None:
    assert (await post(stack, body)).status_code == 400
    assert await stack.sql("SELECT 1 FROM provider_event") == []


async def test_a_late_failure_cannot_undo_a_success(stack: Stack, user_id: UUID) -> None:
    payment_id, part_id = await processing(stack, user_id)
    await post(stack, event(part_id))
    await post(stack, event(part_id, "payment.failed", "evt_2", status="declined", decline_code="card_declined"))
    await post(stack, event(part_id, "payment.created", "evt_3", status="processing"))
    assert await status(stack, payment_id) == "succeeded"
    assert await stack.events("payment.failed.v1") == []


async def test_an_unknown_type_is_kept_and_answered_200(stack: Stack) -> None:
    assert (await post(stack, event(new_id(), "balance.available"))).status_code == 200
    [row] = await stack.sql("SELECT type, status FROM provider_event")
    assert tuple(row) == ("balance.available", "ignored")


async def test_an_event_about_an_unknown_payment_waits_and_is_applied_when_it_is_there(
    stack: Stack, user_id: UUID
) -> None:
    unknown = new_id()
    assert (await post(stack, event(unknown))).status_code == 200
    [row] = await stack.sql("SELECT status FROM provider_event")
    assert row["status"] == "pending"
    payment_id, part_id = await processing(stack, user_id)
    await stack.sql("UPDATE provider_event SET facts = jsonb_set(facts, '{key}', to_jsonb($1::text))", str(part_id))
    stack.clock.advance(timedelta(seconds=6))
    assert await retry_pending(stack.container.db, stack.clock) == 1
    assert await status(stack, payment_id) == "succeeded"
    [row] = await stack.sql("SELECT status FROM provider_event")
    assert row["status"] == "handled"


async def test_an_event_about_nothing_of_ours_is_given_up_after_a_day(stack: Stack) -> None:
    await post(stack, event(new_id()))
    for _ in range(30):
        stack.clock.advance(timedelta(hours=1))
        await retry_pending(stack.container.db, stack.clock)
    [row] = await stack.sql("SELECT status FROM provider_event")
    assert row["status"] == "ignored"


@pytest.mark.parametrize("changes", [{"amount_minor": 1}, {"currency": "EUR"}])
async def test_a_success_of_another_amount_or_currency_is_not_believed(
    stack: Stack, user_id: UUID, changes: dict[str, Any]
) -> None:
    payment_id, part_id = await processing(stack, user_id)
    assert (await post(stack, event(part_id, **changes))).status_code == 200
    [row] = await stack.sql("SELECT status, failure_code FROM payment WHERE id = $1", UUID(payment_id))
    assert tuple(row) == ("failed", "amount-mismatch")
    assert await stack.events("payment.succeeded.v1") == []
    [refund] = await stack.sql("SELECT amount_minor, currency, reason, status FROM refund")
    taken = {"amount_minor": 61240, "currency": "USD", **changes}
    assert tuple(refund) == (taken["amount_minor"], taken["currency"], "payment_failed", "pending")
    await post(stack, event(part_id, event_id="evt_2", **changes))
    assert len(await stack.sql("SELECT 1 FROM refund")) == 1
    await stack.assert_books_balance()


async def test_money_that_arrives_after_we_gave_up_is_refunded_by_itself(stack: Stack, user_id: UUID) -> None:
    payment_id, part_id = await processing(stack, user_id)
    await post(stack, event(part_id, "payment.failed", "evt_1", status="declined", decline_code="card_declined"))
    await post(stack, event(part_id, "payment.succeeded", "evt_2"))
    assert await status(stack, payment_id) == "failed"
    [refund] = await stack.sql("SELECT amount_minor, reason, status FROM refund")
    assert tuple(refund) == (61240, "payment_failed", "pending")
    await stack.assert_books_balance()


@pytest.mark.parametrize("provider", ["stripe", "paymob"])
async def test_webhooks_of_a_provider_that_is_not_configured_are_400(stack: Stack, provider: str) -> None:
    answer = await stack.client.post(f"/v1/webhooks/{provider}", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-signature")


async def test_with_several_secrets_the_old_one_is_still_good(stack: Stack, user_id: UUID) -> None:
    stack.container.providers.by_name["sandbox"]._secrets[:] = ["whsec_next", SECRET]
    _, part_id = await processing(stack, user_id)
    assert (await post(stack, event(part_id))).status_code == 200
