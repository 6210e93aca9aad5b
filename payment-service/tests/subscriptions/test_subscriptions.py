"""Subscriptions: bought, renewed from the wallet, paused, cancelled."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.ledger import accounts
from payment_service.subscriptions.calendar import period_after
from payment_service.subscriptions.renew import renew_due
from rihla.kernel import new_id
from rihla.testing import eventually

Stack = Any


def card(number: str = "4242424242424242") -> dict[str, Any]:
    data = {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"}
    return {"type": "card", "provider": "sandbox", "card": data}


@pytest.mark.parametrize(
    ("start", "anchor", "following"),
    [
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2027, 1, 31), 31, date(2027, 2, 28)),
        (date(2027, 2, 28), 31, date(2027, 3, 31)),
        (date(2028, 1, 30), 30, date(2028, 2, 29)),
    ],
)
def test_a_month_keeps_its_day(start: date, anchor: int, following: date) -> None:
    assert period_after(start, anchor) == following


async def plan(stack: Stack, **changes: Any) -> dict[str, Any]:
    body = {
        "code": "COAST-8", "name": "Eight rides", "kind": "rides", "rides_per_period": 8, "routes": ["DAC-CXB"],
        "price": {"amount": "320.00", "currency": "USD"}, **changes,
    }  # fmt: skip
    admin = stack.person(new_id(), roles=("admin",))
    answer = await stack.client.post("/v1/admin/subscription-plans", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def buy(stack: Stack, user_id: UUID, plan_id: str, method: dict[str, Any]) -> Any:
    body = {"plan_id": plan_id, "method": method}
    return await stack.client.post("/v1/subscriptions", json=body, headers=stack.person(user_id))


async def mine(stack: Stack, user_id: UUID) -> dict[str, Any]:
    [found] = (await stack.client.get("/v1/subscriptions", headers=stack.person(user_id))).json()["items"]
    return dict(found)


async def renew(stack: Stack) -> None:
    await renew_due(stack.container.till, stack.container.seats, grace_days=7)


async def test_buying_a_plan_pays_the_first_month(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    answer = await buy(stack, user_id, found["id"], card())
    assert answer.status_code == 201, answer.text
    assert answer.json()["payment"]["status"] == "succeeded"
    bought = answer.json()["subscription"]
    assert (bought["status"], bought["current_period_end"]) == ("active", "2027-01-01")
    assert await stack.balance(accounts.subscriptions("USD")) == 32000
    again = await buy(stack, user_id, found["id"], card())
    assert (again.status_code, again.json()["code"]) == (409, "subscription-exists")
    await stack.assert_books_balance()


async def test_a_declined_first_month_starts_nothing_and_can_be_tried_again(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    answer = await buy(stack, user_id, found["id"], card("4000000000000002"))
    assert answer.json()["payment"]["status"] == "failed"
    assert answer.json()["subscription"]["status"] == "cancelled"
    assert (await buy(stack, user_id, found["id"], card())).json()["subscription"]["status"] == "active"


async def test_a_renewal_is_taken_from_the_wallet_once(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    await buy(stack, user_id, found["id"], card())
    await stack.fund(user_id, 50_000)
    stack.clock.advance(timedelta(days=31))
    for _ in range(3):
        await renew(stack)
    assert (await mine(stack, user_id))["current_period_end"] == "2027-02-01"
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 18_000


async def test_a_renewal_without_money_is_tried_daily_and_ends_after_the_grace(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    await buy(stack, user_id, found["id"], card())
    stack.clock.advance(timedelta(days=31))
    await renew(stack)
    assert (await mine(stack, user_id))["status"] == "past_due"
    for _ in range(9):
        stack.clock.advance(timedelta(days=1))
        await renew(stack)
    assert (await mine(stack, user_id))["status"] == "cancelled"


async def test_a_wallet_filled_during_the_grace_saves_the_subscription(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    await buy(stack, user_id, found["id"], card())
    stack.clock.advance(timedelta(days=31))
    await renew(stack)
    await stack.fund(user_id, 32_000)
    stack.clock.advance(timedelta(days=1))
    await renew(stack)
    assert (await mine(stack, user_id))["status"] == "active"


async def test_cancelling_lasts_to_the_end_of_the_paid_month(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    bought = (await buy(stack, user_id, found["id"], card())).json()["subscription"]
    path = f"/v1/subscriptions/{bought['id']}"
    stranger = await stack.client.delete(path, headers=stack.person(new_id()))
    assert stranger.status_code == 404
    cancelled = await stack.client.delete(path, headers=stack.person(user_id))
    assert (cancelled.json()["status"], cancelled.json()["cancel_at_period_end"]) == ("active", True)
    stack.clock.advance(timedelta(days=31))
    await renew(stack)
    assert (await mine(stack, user_id))["status"] == "cancelled"


async def test_a_paused_subscription_is_not_renewed(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    bought = (await buy(stack, user_id, found["id"], card())).json()["subscription"]
    path = f"/v1/subscriptions/{bought['id']}"
    await stack.client.post(f"{path}/pause", headers=stack.person(user_id))
    await stack.fund(user_id, 32_000)
    stack.clock.advance(timedelta(days=40))
    await renew(stack)
    assert (await mine(stack, user_id))["status"] == "paused"
    await stack.client.post(f"{path}/resume", headers=stack.person(user_id))
    await renew(stack)
    assert (await mine(stack, user_id))["current_period_start"] == "2027-01-10"


async def test_plans_on_sale_are_public(stack: Stack) -> None:
    await plan(stack)
    await plan(stack, code="OLD-1", active=False)
    headers = {"authorization": f"Bearer {stack.keyring.token(audience='payment')}"}
    found = (await stack.client.get("/v1/subscription-plans", headers=headers)).json()["items"]
    assert [item["code"] for item in found] == ["COAST-8"]


async def test_money_for_a_subscription_that_was_cancelled_meanwhile_goes_back(stack: Stack, user_id: UUID) -> None:
    found = await plan(stack)
    bought = (await buy(stack, user_id, found["id"], card("4000000000003220"))).json()
    assert bought["payment"]["status"] == "requires_action"
    await stack.client.delete(f"/v1/subscriptions/{bought['subscription']['id']}", headers=stack.person(user_id))
    stack.mailbox.target = stack.client
    path, _, token = bought["payment"]["next_action"]["url"].removeprefix("http://bank").partition("?token=")
    await stack.sandbox.post(path, data={"token": token, "answer": "approve"})
    assert await eventually(lambda: refunded(stack))
    assert (await mine(stack, user_id))["status"] == "cancelled"
    assert await stack.balance(accounts.subscriptions("USD")) == 0


async def refunded(stack: Stack) -> bool:
    return bool(await stack.sql("SELECT 1 FROM refund"))
