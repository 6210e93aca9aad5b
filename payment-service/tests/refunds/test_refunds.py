"""Refunds: back the way the money came, never more than was captured, never silently lost."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.ledger import accounts
from payment_service.refunds.drive_refunds import drive_refunds
from payment_service.refunds.errors import RefundExceedsCaptured
from payment_service.refunds.rules import spread
from rihla.kernel import Money, new_id
from sandbox_provider.signing import signature_header

Stack = Any


def card(number: str = "4242424242424242") -> dict[str, Any]:
    return {
        "type": "card",
        "provider": "sandbox",
        "card": {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"},
    }


def test_a_refund_is_spread_pro_rata_to_the_minor_unit() -> None:
    a, b, c = new_id(), new_id(), new_id()
    assert spread(Money(100, "USD"), [(a, 100), (b, 200), (c, 0)]) == [(a, 33), (b, 67)]
    with pytest.raises(RefundExceedsCaptured):
        spread(Money(301, "USD"), [(a, 100), (b, 200)])


async def paid(stack: Stack, user_id: UUID, number: str = "4242424242424242", amount: int = 61240) -> dict[str, Any]:
    charge = stack.booking.add_charge(user_id, amount)
    answer = await stack.pay(user_id, charge, card(number))
    assert answer.json()["status"] == "succeeded"
    return {**charge, "payment_id": answer.json()["id"]}


async def refund(
    stack: Stack, charge: dict[str, Any], amount: int, refund_id: UUID | None = None, **changes: Any
) -> Any:
    body = {name: charge[name] for name in ("booking_id", "charge_id", "user_id", "currency")}
    body |= {"amount_minor": amount, "reason": "cancellation", **changes}
    return await stack.client.put(f"/internal/v1/refunds/{refund_id or new_id()}", json=body, headers=stack.service())


async def test_a_card_payment_goes_back_to_the_card(stack: Stack, user_id: UUID) -> None:
    charge = await paid(stack, user_id)
    answer = await refund(stack, charge, 61240)
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "succeeded"
    [destination] = answer.json()["destinations"]
    assert (destination["kind"], destination["amount_minor"], destination["currency"]) == ("card", 61240, "USD")
    [event] = await stack.events("refund.succeeded.v1")
    assert event["reason"] == "cancellation"
    assert await stack.balance(accounts.charges("USD")) == 0
    assert await stack.balance(accounts.provider("sandbox", "USD")) == 0
    await stack.assert_books_balance()


async def test_the_same_refund_again_changes_nothing_and_other_content_is_refused(stack: Stack, user_id: UUID) -> None:
    charge, refund_id = await paid(stack, user_id), new_id()
    await refund(stack, charge, 1000, refund_id)
    again = await refund(stack, charge, 1000, refund_id)
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    other = await refund(stack, charge, 1001, refund_id)
    assert (other.status_code, other.json()["code"]) == (422, "refund-content-differs")
    assert len(await stack.events("refund.succeeded.v1")) == 1
    read = await stack.client.get(f"/internal/v1/refunds/{refund_id}", headers=stack.service())
    assert read.json()["amount_minor"] == 1000


async def test_partial_refunds_stop_at_what_was_captured(stack: Stack, user_id: UUID) -> None:
    charge = await paid(stack, user_id, amount=1000)
    assert (await refund(stack, charge, 400)).status_code == 201
    assert (await refund(stack, charge, 600)).status_code == 201
    more = await refund(stack, charge, 1)
    assert (more.status_code, more.json()["code"]) == (409, "refund-exceeds-captured")
    assert more.json()["refundable_minor"] == 0


async def test_racing_refunds_never_exceed_what_was_captured(stack: Stack, user_id: UUID) -> None:
    charge = await paid(stack, user_id, amount=1000)
    answers = await asyncio.gather(*(refund(stack, charge, 300) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 7
    assert await stack.balance(accounts.charges("USD")) == 100
    await stack.assert_books_balance()


async def test_the_same_refund_sent_many_times_at_once_is_one_refund(stack: Stack, user_id: UUID) -> None:
    charge, refund_id = await paid(stack, user_id, amount=1000), new_id()
    answers = await asyncio.gather(*(refund(stack, charge, 1000, refund_id) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert await stack.balance(accounts.provider("sandbox", "USD")) == 0


@pytest.mark.parametrize("amount", [0, -5, 1.5, "ten"])
async def test_negative_zero_and_fractional_amounts_are_refused(stack: Stack, user_id: UUID, amount: Any) -> None:
    charge = await paid(stack, user_id)
    assert (await refund(stack, charge, amount)).status_code == 422


async def test_a_charge_that_was_never_paid_has_nothing_to_refund(stack: Stack, user_id: UUID) -> None:
    answer = await refund(stack, stack.booking.add_charge(user_id), 100)
    assert (answer.status_code, answer.json()["code"]) == (409, "refund-exceeds-captured")


async def test_only_booking_service_may_ask(stack: Stack, user_id: UUID) -> None:
    charge = await paid(stack, user_id)
    body = {
        **{n: charge[n] for n in ("booking_id", "charge_id", "user_id", "currency")},
        "amount_minor": 1,
        "reason": "change",
    }
    for headers in (stack.service("flight"), stack.person(user_id), stack.person(user_id, roles=("admin",))):
        answer = await stack.client.put(f"/internal/v1/refunds/{new_id()}", json=body, headers=headers)
        assert answer.status_code == 403


async def test_a_silent_provider_is_asked_again_by_the_worker_with_the_same_key(stack: Stack, user_id: UUID) -> None:
    charge = await paid(stack, user_id)
    stack.wire.lose_answers = True
    answer = await refund(stack, charge, 61240)
    assert answer.json()["status"] == "pending"
    stack.wire.lose_answers = False
    stack.clock.advance(timedelta(seconds=10))
    assert await drive_refunds(stack.container.db, stack.container.providers, stack.clock) == 1
    read = await stack.client.get(f"/internal/v1/refunds/{answer.json()['id']}", headers=stack.service())
    assert read.json()["status"] == "succeeded"
    assert await stack.balance(accounts.provider("sandbox", "USD")) == 0


async def failed_refund(stack: Stack, user_id: UUID) -> str:
    charge = await paid(stack, user_id, "4000000000005126")
    answer = await refund(stack, charge, 61240)
    assert answer.json()["status"] == "failed"
    return str(answer.json()["id"])


async def test_a_refused_refund_waits_in_the_queue_of_operations(stack: Stack, user_id: UUID) -> None:
    refund_id = await failed_refund(stack, user_id)
    [event] = await stack.events("refund.failed.v1")
    assert event["failure_code"] == "account-closed"
    staff = stack.person(new_id(), roles=("support",))
    queue = (await stack.client.get("/v1/admin/refunds?status=failed", headers=staff)).json()
    assert [item["id"] for item in queue["items"]] == [refund_id]
    assert queue["items"][0]["destinations"][0]["last_error"] == "account-closed"
    assert (await stack.client.get("/v1/admin/refunds", headers=stack.person(user_id))).status_code == 403
    assert await stack.balance(accounts.in_flight("USD")) == 61240


async def test_operations_can_try_again_or_pay_into_the_wallet(stack: Stack, user_id: UUID) -> None:
    refund_id = await failed_refund(stack, user_id)
    admin = stack.person(new_id(), roles=("admin",))
    again = await stack.client.post(f"/v1/admin/refunds/{refund_id}/retry", headers=admin)
    assert again.json()["status"] == "failed"
    moved = await stack.client.post(f"/v1/admin/refunds/{refund_id}/to-wallet", headers=admin)
    assert moved.json()["status"] == "succeeded", moved.text
    assert moved.json()["destinations"][0]["kind"] == "wallet"
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 61240
    twice = await stack.client.post(f"/v1/admin/refunds/{refund_id}/to-wallet", headers=admin)
    assert (twice.status_code, twice.json()["code"]) == (409, "refund-not-failed")
    await stack.assert_books_balance()


async def test_an_administrator_refunds_by_hand_with_a_reason(stack: Stack, user_id: UUID) -> None:
    charge = await paid(stack, user_id)
    admin = stack.person(new_id(), roles=("admin",))
    path = f"/v1/admin/payments/{charge['payment_id']}/refunds"
    answer = await stack.client.post(path, json={"amount": "12.40", "reason": "Goodwill"}, headers=admin)
    assert answer.status_code == 201, answer.text
    assert answer.json()["amount"] == {"amount": "12.40", "currency": "USD"}
    replay = await stack.client.post(path, json={"amount": "12.40", "reason": "Goodwill"}, headers=admin)
    assert replay.headers["idempotency-replayed"] == "true"
    assert await stack.balance(accounts.charges("USD")) == 60000
    too_much = await stack.client.post(
        path, json={"amount": "600.01", "reason": "Goodwill"}, headers={**admin, "idempotency-key": "x"}
    )
    assert too_much.status_code == 409


async def test_the_settlement_report_lists_captures_and_refunds_of_a_day(stack: Stack, user_id: UUID) -> None:
    charge = await paid(stack, user_id)
    await refund(stack, charge, 1240)
    staff = stack.person(new_id(), roles=("support",))
    params = {"provider": "sandbox", "date": "2026-12-01"}
    report = await stack.client.get("/v1/admin/payments/settlement-report", params=params, headers=staff)
    assert report.headers["content-type"].startswith("text/csv")
    lines = [line.split(",") for line in report.text.splitlines()]
    assert [(line[1], line[5]) for line in lines[1:]] == [
        ("capture", "612.40"),
        ("refund", "-12.40"),
        ("total", "600.00"),
    ]
    assert all(line[3] for line in lines[1:3])
    empty = await stack.client.get(
        "/v1/admin/payments/settlement-report", params={**params, "date": "2026-12-02"}, headers=staff
    )
    assert len(empty.text.splitlines()) == 1


async def reverse(stack: Stack, part: Any) -> None:
    """The bank sends the money back to the company, which tells us days later."""
    data = {"id": "re_x", "idempotency_key": str(part["provider_key"]), "status": "failed"}
    data |= {"failure_code": "account_closed"}
    body = json.dumps({"id": f"evt_{new_id()}", "type": "refund.failed", "created": 0, "data": data}).encode()
    signed = signature_header(body, timestamp=int(stack.clock.now().timestamp()), secrets=["whsec_sandbox_local"])
    for _ in range(2):
        answer = await stack.client.post("/v1/webhooks/sandbox", content=body, headers={"Sandbox-Signature": signed})
        assert answer.status_code == 200


@pytest.mark.parametrize("how", ["retry", "to-wallet"])
async def test_a_refund_that_fails_after_it_had_succeeded_opens_again_for_operations(
    stack: Stack, user_id: UUID, how: str
) -> None:
    charge, refund_id = await paid(stack, user_id), new_id()
    assert (await refund(stack, charge, 61240, refund_id)).json()["status"] == "succeeded"
    [part] = await stack.sql("SELECT provider_key FROM refund_part")
    await reverse(stack, part)
    admin = stack.person(new_id(), roles=("admin",))
    queue = (await stack.client.get("/v1/admin/refunds?status=failed", headers=admin)).json()["items"]
    assert [item["id"] for item in queue] == [str(refund_id)]
    assert queue[0]["destinations"][0]["last_error"] == "account-closed"
    [event] = await stack.events("refund.failed.v1")
    assert event["failure_code"] == "account-closed"
    assert await stack.balance(accounts.in_flight("USD")) == 61240
    assert await stack.balance(accounts.provider("sandbox", "USD")) == -61240
    moved = await stack.client.post(f"/v1/admin/refunds/{refund_id}/{how}", headers=admin)
    if how == "to-wallet":
        assert moved.json()["status"] == "succeeded"
        assert await stack.balance(accounts.wallet(user_id, "USD")) == 61240
        assert await stack.balance(accounts.in_flight("USD")) == 0
    else:
        # Sent under a key of its own: the company refuses it, for in its books all has gone back.
        assert moved.json()["destinations"][0]["status"] == "failed"
    await stack.assert_books_balance()


async def test_a_refund_may_name_its_payment_and_never_that_of_another_charge(stack: Stack, user_id: UUID) -> None:
    charge, other = await paid(stack, user_id), await paid(stack, user_id)
    wrong = await refund(stack, charge, 1000, payment_id=other["payment_id"])
    assert (wrong.status_code, wrong.json()["code"]) == (409, "refund-exceeds-captured")
    right = await refund(stack, charge, 1000, payment_id=charge["payment_id"])
    assert (right.status_code, right.json()["status"]) == (201, "succeeded")
    rows = await stack.sql("SELECT payment_id FROM refund")
    assert [str(row[0]) for row in rows] == [charge["payment_id"]]


async def test_staff_with_a_second_factor_prove_it_again_before_they_refund(stack: Stack, user_id: UUID) -> None:
    charge, admin_id = await paid(stack, user_id), new_id()
    proved = int(stack.clock.now().timestamp())
    by_hand = f"/v1/admin/payments/{charge['payment_id']}/refunds"
    stale = stack.person(admin_id, roles=("admin",), second_factor_at=proved - 600)
    body = {"amount": "12.40", "reason": "Goodwill"}
    for path in (by_hand, f"/v1/admin/refunds/{new_id()}/retry", f"/v1/admin/refunds/{new_id()}/to-wallet"):
        refused = await stack.client.post(path, json=body, headers=stale)
        assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required"), path
    assert await stack.balance(accounts.charges("USD")) == 61240
    fresh = stack.person(admin_id, roles=("admin",), second_factor_at=proved)
    assert (await stack.client.post(by_hand, json=body, headers=fresh)).status_code == 201
    assert await stack.balance(accounts.charges("USD")) == 60000
