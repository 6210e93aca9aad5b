"""Paying by card through the sandbox company."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from payment_service.ledger import accounts
from payment_service.payments.reconcile import reconcile
from payment_service.refunds.drive_refunds import drive_refunds
from rihla.kernel import new_id
from rihla.testing import eventually

Stack = Any


def card(number: str = "4242424242424242", **changes: Any) -> dict[str, Any]:
    return {
        "type": "card",
        "provider": "sandbox",
        "card": {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737", **changes},
    }


async def test_a_good_card_pays_the_charge_at_once_and_says_so_in_the_outbox(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    answer = await stack.pay(user_id, charge, card())
    assert answer.status_code == 201, answer.text
    payment = answer.json()
    assert payment["status"] == "succeeded"
    assert payment["amount"] == {"amount": "612.40", "currency": "USD"}
    assert payment["parts"][0]["card_last4"] == "4242"
    [event] = await stack.events("payment.succeeded.v1")
    assert event["charge_id"] == charge["charge_id"]
    assert event["amount_minor"] == 61240
    assert event["method"] == "card"
    assert event["provider"] == "sandbox"
    assert await stack.balance(accounts.charges("USD")) == 61240
    assert await stack.balance(accounts.provider("sandbox", "USD")) == -61240
    await stack.assert_books_balance()


@pytest.mark.parametrize(
    ("number", "changes", "code"),
    [
        ("4000000000000002", {}, "card-declined"),
        ("4000000000009995", {}, "insufficient-funds"),
        ("4242424242424242", {"exp_year": 2026, "exp_month": 11}, "expired-card"),
        ("4242424242424241", {}, "incorrect-number"),
    ],
)
async def test_a_decline_is_201_with_failed_and_leaves_the_charge_due(
    stack: Stack, user_id: UUID, number: str, changes: dict[str, Any], code: str
) -> None:
    charge = stack.booking.add_charge(user_id)
    answer = await stack.pay(user_id, charge, card(number, **changes))
    assert answer.status_code == 201
    assert answer.json()["status"] == "failed"
    assert answer.json()["failure"]["code"] == code
    [event] = await stack.events("payment.failed.v1")
    assert event["failure_code"] == code
    again = await stack.pay(user_id, charge, card())
    assert again.json()["status"] == "succeeded"
    await stack.assert_books_balance()


async def test_the_same_key_and_payload_give_the_saved_answer_even_with_another_card(
    stack: Stack, user_id: UUID
) -> None:
    charge = stack.booking.add_charge(user_id)
    headers = {"idempotency-key": "one"}
    first = await stack.pay(user_id, charge, card(), **headers)
    second = await stack.pay(user_id, charge, card("4000000000000002"), **headers)
    assert second.headers["idempotency-replayed"] == "true"
    assert second.content == first.content
    assert len(await stack.events("payment.succeeded.v1")) == 1


async def test_the_same_key_with_another_payload_is_refused(stack: Stack, user_id: UUID) -> None:
    headers = {"idempotency-key": "one"}
    await stack.pay(user_id, stack.booking.add_charge(user_id), card(), **headers)
    other = await stack.pay(user_id, stack.booking.add_charge(user_id), card(), **headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_paying_without_an_idempotency_key_is_refused(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    headers = stack.person(user_id)
    del headers["idempotency-key"]
    answer = await stack.client.post(
        "/v1/payments", json={"booking_id": charge["booking_id"], "method": card()}, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")


async def test_an_amount_from_the_caller_is_refused(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    body = {"booking_id": charge["booking_id"], "method": card(), "amount": {"amount": "1.00", "currency": "USD"}}
    answer = await stack.client.post("/v1/payments", json=body, headers=stack.person(user_id))
    assert answer.status_code == 422


async def test_somebody_elses_booking_does_not_exist(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(new_id())
    answer = await stack.pay(user_id, charge, card())
    assert (answer.status_code, answer.json()["code"]) == (404, "booking-not-found")


async def test_a_paid_charge_is_not_due_again(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    await stack.pay(user_id, charge, card())
    again = await stack.pay(user_id, charge, card())
    assert (again.status_code, again.json()["code"]) == (409, "charge-not-due")
    charge["status"] = "paid"
    later = await stack.pay(user_id, charge, card())
    assert (later.status_code, later.json()["code"]) == (409, "charge-not-due")


async def test_no_attempt_starts_once_the_time_to_pay_is_over(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id, minutes=15)
    stack.clock.advance(timedelta(minutes=15))
    answer = await stack.pay(user_id, charge, card())
    assert (answer.status_code, answer.json()["code"]) == (409, "payment-window-closed")
    assert stack.wire.requests == []


async def test_without_booking_service_the_answer_is_503_and_the_same_key_works_later(
    stack: Stack, user_id: UUID
) -> None:
    charge = stack.booking.add_charge(user_id)
    stack.booking.down = True
    headers = {"idempotency-key": "again"}
    refused = await stack.pay(user_id, charge, card(), **headers)
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    stack.booking.down = False
    stack.clock.advance(timedelta(seconds=61))
    stack.container.booking._client.breaker.succeeded()
    answer = await stack.pay(user_id, charge, card(), **headers)
    assert answer.json()["status"] == "succeeded"


async def test_card_numbers_are_neither_stored_nor_logged(
    stack: Stack, user_id: UUID, capfd: pytest.CaptureFixture[str]
) -> None:
    number, cvc = "4242424242424242", "737"
    await stack.pay(user_id, stack.booking.add_charge(user_id), card(number, cvc=cvc))
    await stack.pay(user_id, stack.booking.add_charge(user_id), card("4000000000000002", cvc=cvc))
    broken = await stack.pay(user_id, stack.booking.add_charge(user_id), card(number, exp_month=13))
    assert number not in broken.text
    for pool_owner, name in ((stack.container.db, "payment"), (stack.sandbox_url, "sandbox")):
        dump = await everything_in(pool_owner if isinstance(pool_owner, str) else pool_owner.url)
        for secret in (number, "4000000000000002", '"737"'):
            assert secret not in dump, name
    output = capfd.readouterr()
    assert number not in output.out + output.err


async def everything_in(url: str) -> str:
    """Every row of every table as text."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [str(await connection.fetch(f'SELECT to_json(t)::text FROM "{table[0]}" t')) for table in tables]
        keys = await connection.fetch("SELECT 1 FROM pg_tables WHERE tablename = 'idempotency_key'")
        if keys:
            rows.append(
                str([bytes(row[0] or b"") for row in await connection.fetch("SELECT body FROM idempotency_key")])
            )
        return "\n".join(rows)
    finally:
        await connection.close()


async def test_the_confirmation_page_ends_the_payment_by_webhook(stack: Stack, user_id: UUID) -> None:
    stack.mailbox.target = stack.client
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card("4000000000003220"))
    payment = answer.json()
    assert payment["status"] == "requires_action"
    assert payment["next_action"]["type"] == "redirect"
    path, _, token = payment["next_action"]["url"].removeprefix("http://bank").partition("?token=")
    page = await stack.sandbox.get(f"{path}?token={token}")
    assert "612.40" in page.text
    await stack.sandbox.post(path, data={"token": token, "answer": "approve"})
    assert await eventually(lambda: status_of(stack, user_id, payment["id"], "succeeded"))
    assert len(await stack.events("payment.succeeded.v1")) == 1


async def test_refusing_on_the_confirmation_page_fails_the_payment(stack: Stack, user_id: UUID) -> None:
    stack.mailbox.target = stack.client
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card("4000000000003220"))
    path, _, token = answer.json()["next_action"]["url"].removeprefix("http://bank").partition("?token=")
    await stack.sandbox.post(path, data={"token": token, "answer": "refuse"})
    found = await eventually(lambda: status_of(stack, user_id, answer.json()["id"], "failed"))
    assert found["failure"]["code"] == "authentication-failed"


async def test_a_delayed_success_arrives_by_webhook_five_seconds_later(stack: Stack, user_id: UUID) -> None:
    stack.mailbox.target = stack.client
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card("4000000000000259"))
    assert answer.json()["status"] == "processing"
    stack.clock.advance(timedelta(seconds=4))
    assert await stack.events("payment.succeeded.v1") == []
    stack.clock.advance(timedelta(seconds=1))
    assert await eventually(lambda: status_of(stack, user_id, answer.json()["id"], "succeeded"))


async def status_of(stack: Stack, user_id: UUID, payment_id: str, wanted: str) -> dict[str, Any] | None:
    found = (await stack.client.get(f"/v1/payments/{payment_id}", headers=stack.person(user_id))).json()
    return found if found["status"] == wanted else None


async def test_a_lost_answer_leaves_the_payment_processing_and_reconciliation_finds_the_money(
    stack: Stack, user_id: UUID
) -> None:
    stack.wire.lose_answers = True
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card())
    assert answer.json()["status"] == "processing"
    stack.wire.lose_answers = False
    assert await reconcile(stack.container.db, stack.container.providers, stack.clock) == 0
    stack.clock.advance(timedelta(seconds=61))
    assert await reconcile(stack.container.db, stack.container.providers, stack.clock) == 1
    assert await status_of(stack, user_id, answer.json()["id"], "succeeded")
    assert len(await stack.events("payment.succeeded.v1")) == 1
    await stack.assert_books_balance()


async def test_a_call_that_never_arrived_is_cancelled_at_the_provider_and_fails(stack: Stack, user_id: UUID) -> None:
    stack.wire.cut = True
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card())
    assert answer.json()["status"] == "processing"
    stack.wire.cut = False
    stack.clock.advance(timedelta(seconds=61))
    await reconcile(stack.container.db, stack.container.providers, stack.clock)
    found = await status_of(stack, user_id, answer.json()["id"], "failed")
    assert found
    assert found["failure"]["code"] == "payment-abandoned"
    [part] = await stack.sql("SELECT id FROM payment_part")
    late = await stack.sandbox.post(
        "/v1/payments",
        json={"amount_minor": 61240, "currency": "USD", "card": card()["card"]},
        headers={"idempotency-key": str(part["id"])},
    )
    assert (late.status_code, late.json()["error"]["code"]) == (409, "key_cancelled")


async def test_a_webhook_that_comes_before_our_own_answer_settles_the_payment_once(stack: Stack, user_id: UUID) -> None:
    stack.mailbox.target = stack.client

    async def until_webhook_answered() -> None:
        await eventually(lambda: 200 in stack.mailbox.answers)

    stack.wire.before_answer = until_webhook_answered
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card())
    assert answer.json()["status"] == "succeeded"
    assert len(await stack.events("payment.succeeded.v1")) == 1
    await stack.assert_books_balance()


async def test_a_person_who_never_confirms_gets_a_failed_payment_and_the_key_is_dead(
    stack: Stack, user_id: UUID
) -> None:
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card("4000000000003220"))
    stack.clock.advance(timedelta(minutes=20))
    await reconcile(stack.container.db, stack.container.providers, stack.clock)
    assert await status_of(stack, user_id, answer.json()["id"], "requires_action")
    stack.clock.advance(timedelta(minutes=40))
    await reconcile(stack.container.db, stack.container.providers, stack.clock)
    assert await status_of(stack, user_id, answer.json()["id"], "failed")


async def test_a_test_key_reaches_the_sandbox_only(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    for method in ({"type": "wallet"}, {"type": "card", "provider": "stripe"}):
        headers = stack.person(user_id, test_mode=True)
        body = {"booking_id": charge["booking_id"], "method": method}
        answer = await stack.client.post("/v1/payments", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "provider-not-available")
    body = {"booking_id": charge["booking_id"], "method": card()}
    answer = await stack.client.post("/v1/payments", json=body, headers=stack.person(user_id, test_mode=True))
    assert answer.json()["status"] == "succeeded"


async def test_payments_are_listed_newest_first_and_only_to_their_owner(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    first = (await stack.pay(user_id, charge, card("4000000000000002"))).json()["id"]
    second = (await stack.pay(user_id, charge, card())).json()["id"]
    params = {"booking_id": charge["booking_id"], "limit": 1}
    page = (await stack.client.get("/v1/payments", params=params, headers=stack.person(user_id))).json()
    assert [item["id"] for item in page["items"]] == [second]
    params["cursor"] = page["next_cursor"]
    page = (await stack.client.get("/v1/payments", params=params, headers=stack.person(user_id))).json()
    assert [item["id"] for item in page["items"]] == [first]
    assert page["next_cursor"] is None
    stranger = await stack.client.get(f"/v1/payments/{first}", headers=stack.person(new_id()))
    assert stranger.status_code == 404
    assert (await stack.client.get("/v1/payments")).status_code == 401


async def test_a_refusal_that_may_pass_leaves_the_key_free_for_the_same_request(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    headers = {"idempotency-key": "refused"}
    stack.booking.down = True
    refused = await stack.pay(user_id, charge, card(), **headers)
    assert (refused.status_code, refused.json()["code"]) == (503, "service-unavailable")
    stack.booking.down = False
    stack.container.booking._client.breaker.succeeded()
    answer = await stack.pay(user_id, charge, card(), **headers)
    assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")


@pytest.mark.parametrize("method", [card(), {"type": "wallet"}])
async def test_a_repeat_gets_its_answer_although_nothing_is_due_any_more(
    stack: Stack, user_id: UUID, method: dict[str, Any]
) -> None:
    await stack.fund(user_id, 100_000)
    charge = stack.booking.add_charge(user_id)
    headers = {"idempotency-key": "again"}
    first = await stack.pay(user_id, charge, method, **headers)
    charge["status"] = "paid"
    again = await stack.pay(user_id, charge, method, **headers)
    stack.booking.down = True
    without_booking = await stack.pay(user_id, charge, method, **headers)
    assert first.status_code == 201
    assert first.content == again.content == without_booking.content
    assert again.headers["idempotency-replayed"] == "true"


class Crash(Exception):
    """The process is gone: nothing after this line runs."""


@pytest.mark.parametrize("moment", ["before the call", "after the call"])
async def test_a_crash_around_the_call_is_finished_by_reconciliation(stack: Stack, user_id: UUID, moment: str) -> None:
    await crash(stack, user_id, moment, "k")
    [row] = await stack.sql("SELECT status FROM payment")
    assert row["status"] == "processing"
    stack.clock.advance(timedelta(seconds=61))
    assert await reconcile(stack.container.db, stack.container.providers, stack.clock) == 1
    [row] = await stack.sql("SELECT status FROM payment")
    assert row["status"] == ("failed" if moment == "before the call" else "succeeded")
    await stack.assert_books_balance()


@pytest.mark.parametrize("moment", ["before the call", "after the call"])
async def test_a_crash_around_the_call_is_driven_on_by_the_same_request_after_its_lease(
    stack: Stack, user_id: UUID, moment: str
) -> None:
    charge = await crash(stack, user_id, moment, "k")
    stack.clock.advance(timedelta(seconds=61))
    answer = await stack.pay(user_id, charge, card(), **{"idempotency-key": "k"})
    assert (answer.status_code, answer.json()["status"]) == (201, "succeeded"), answer.text
    assert len(await stack.sql("SELECT 1 FROM payment")) == 1
    assert await stack.balance(accounts.provider("sandbox", "USD")) == -61240
    again = await stack.pay(user_id, charge, card(), **{"idempotency-key": "k"})
    assert again.headers["idempotency-replayed"] == "true"


async def crash(stack: Stack, user_id: UUID, moment: str, key: str) -> dict[str, Any]:
    """Pay, and lose the process around the provider call; returns the charge."""
    charge: dict[str, Any] = stack.booking.add_charge(user_id)
    whole = stack.wire.handle_async_request

    async def gone(request: Any) -> Any:
        if moment == "after the call":
            await whole(request)
        raise Crash

    stack.wire.handle_async_request = gone
    answer = await stack.pay(user_id, charge, card(), **{"idempotency-key": key})
    assert answer.status_code == 500
    stack.wire.handle_async_request = whole
    return charge


async def test_wrong_types_unknown_fields_and_malformed_json_are_problems(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    for body, status in (
        (b"{", 400),
        (b"[]", 422),
        (json.dumps({"booking_id": "x", "method": card()}).encode(), 422),
        (json.dumps({"booking_id": charge["booking_id"], "method": {"type": "cash"}}).encode(), 422),
        (
            json.dumps(
                {"booking_id": charge["booking_id"], "method": {"type": "card", "provider": "sandbox"}}
            ).encode(),
            422,
        ),
        (json.dumps({"booking_id": charge["booking_id"], "method": {**card(), "provider": "stripe"}}).encode(), 422),
    ):
        headers = {**stack.person(user_id), "content-type": "application/json"}
        answer = await stack.client.post("/v1/payments", content=body, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "4242424242424242" not in answer.text


async def test_money_taken_in_another_amount_goes_back_by_itself(stack: Stack, user_id: UUID) -> None:
    whole = stack.wire.handle_async_request

    async def less(request: Any) -> Any:
        answer = await whole(request)
        if (request.method, request.url.path) != ("POST", "/v1/payments"):
            return answer
        return httpx.Response(200, json={**json.loads(answer.content), "amount_minor": 60000})

    stack.wire.handle_async_request = less
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card())
    assert (answer.json()["status"], answer.json()["failure"]["code"]) == ("failed", "amount-mismatch")
    assert await stack.balance(accounts.provider("sandbox", "USD")) == -60000
    assert await drive_refunds(stack.container.db, stack.container.providers, stack.clock) == 1
    [refund] = await stack.sql("SELECT amount_minor, status, reason FROM refund")
    assert tuple(refund) == (60000, "succeeded", "payment_failed")
    assert await stack.balance(accounts.provider("sandbox", "USD")) == 0
    assert await stack.balance(accounts.in_flight("USD")) == 0
    assert await stack.balance(accounts.charges("USD")) == 0
    await stack.assert_books_balance()
