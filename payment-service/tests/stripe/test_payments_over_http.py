"""Payments by Stripe from end to end: the whole service against a small Stripe-compatible server on a real socket."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.payments.reconcile import reconcile
from rihla.kernel import new_id

Stack = Any
StripeServer = Any
Json = dict[str, Any]


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
