"""Wallet, coins and split payments."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.ledger import accounts
from payment_service.ledger.errors import InsufficientFunds
from payment_service.ledger.post import post
from payment_service.ledger.posting import Line, Posting, transfer
from payment_service.ledger.seal import seal_batch
from payment_service.refunds.drive_refunds import drive_refunds
from payment_service.wallet.coins import Lot, choose_lots, returned_expiry
from payment_service.wallet.consumers import joining_coins
from payment_service.wallet.expire_coins import expire_coins
from rihla.contracts.events import Envelope, UserRegisteredV1
from rihla.kernel import new_id

Stack = Any
WALLET = {"type": "wallet"}
COINS = {"type": "coins"}


def card(number: str = "4242424242424242") -> dict[str, Any]:
    return {
        "type": "card",
        "provider": "sandbox",
        "card": {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"},
    }


def split(*parts: tuple[dict[str, Any], str]) -> dict[str, Any]:
    return {
        "type": "split",
        "parts": [{"method": method, "amount": {"amount": amount, "currency": "USD"}} for method, amount in parts],
    }


async def join(stack: Stack, user_id: UUID) -> Envelope:
    now = stack.clock.now()
    event = UserRegisteredV1(user_id=user_id, full_name="Amina Rahman", registered_at=now)
    envelope = Envelope.of(event, subject=str(user_id), sequence=1, time=now)
    async with stack.container.db.transaction() as session:
        await joining_coins(stack.settings, stack.clock)(session, envelope)
    return envelope


async def wallet_of(stack: Stack, user_id: UUID) -> dict[str, Any]:
    return dict((await stack.client.get("/v1/wallet", headers=stack.person(user_id))).json())


async def test_a_person_who_joins_gets_1500_coins_once(stack: Stack, user_id: UUID) -> None:
    await join(stack, user_id)
    await join(stack, user_id)
    coins = (await wallet_of(stack, user_id))["coins"]
    assert coins["balance"] == 1500
    assert coins["worth"] == [{"amount": "15.00", "currency": "USD"}]
    assert coins["expiring"] == [{"coins": 1500, "expires_at": "2027-12-01T08:00:00Z"}]
    await stack.assert_books_balance()


async def test_a_top_up_by_card_fills_the_wallet_and_the_statement(stack: Stack, user_id: UUID) -> None:
    body = {"amount": {"amount": "50.00", "currency": "USD"}, "method": card()}
    headers = stack.person(user_id)
    answer = await stack.client.post("/v1/wallet/top-ups", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["status"], answer.json()["purpose"]) == ("succeeded", "top_up")
    again = await stack.client.post("/v1/wallet/top-ups", json=body, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert (await wallet_of(stack, user_id))["balances"][0]["balance"] == {"amount": "50.00", "currency": "USD"}
    await stack.pay(user_id, stack.booking.add_charge(user_id, 1999), WALLET)
    page = (await stack.client.get("/v1/wallet/entries?limit=1", headers=stack.person(user_id))).json()
    [entry] = page["items"]
    assert (entry["amount"]["amount"], entry["balance_after"]["amount"]) == ("-19.99", "30.01")
    page = (
        await stack.client.get(
            "/v1/wallet/entries", params={"limit": 1, "cursor": page["next_cursor"]}, headers=stack.person(user_id)
        )
    ).json()
    assert (page["items"][0]["amount"]["amount"], page["items"][0]["kind"]) == ("50.00", "payment")
    assert page["next_cursor"] is None


@pytest.mark.parametrize("amount", ["0.00", "-5.00", "1.005", "abc", "1e3", ""])
async def test_negative_fractional_and_senseless_top_ups_are_422(stack: Stack, user_id: UUID, amount: str) -> None:
    body = {"amount": {"amount": amount, "currency": "USD"}, "method": card()}
    answer = await stack.client.post("/v1/wallet/top-ups", json=body, headers=stack.person(user_id))
    assert answer.status_code == 422


@pytest.mark.parametrize("amount", ["0.50", "5000.01"])
async def test_a_top_up_outside_the_limits_is_refused(stack: Stack, user_id: UUID, amount: str) -> None:
    body = {"amount": {"amount": amount, "currency": "USD"}, "method": card()}
    answer = await stack.client.post("/v1/wallet/top-ups", json=body, headers=stack.person(user_id))
    assert (answer.status_code, answer.json()["code"]) == (409, "top-up-limit")


async def test_an_overdrawn_wallet_declines_and_nothing_is_taken(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 100)
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), WALLET)
    assert (answer.status_code, answer.json()["status"]) == (201, "failed")
    assert answer.json()["failure"]["code"] == "insufficient-funds"
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 100
    await stack.assert_books_balance()


async def test_a_frozen_wallet_declines_until_it_is_unfrozen(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 100_000)
    admin = stack.person(new_id(), roles=("admin",))
    path = f"/v1/admin/ledger/wallets/{user_id}/freeze"
    body = {"currency": "USD", "frozen": True, "reason": "Reported stolen"}
    assert (await stack.client.put(path, json=body, headers=admin)).status_code == 204
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), WALLET)
    assert answer.json()["failure"]["code"] == "wallet-frozen"
    assert (await wallet_of(stack, user_id))["balances"][0]["frozen"]
    await stack.client.put(path, json={**body, "frozen": False}, headers=admin)
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), WALLET)
    assert answer.json()["status"] == "succeeded"
    assert len(await stack.sql("SELECT 1 FROM ledger_admin_action")) == 2


async def test_coins_pay_and_come_back_on_a_refund_with_their_expiry(stack: Stack, user_id: UUID) -> None:
    await join(stack, user_id)
    charge = stack.booking.add_charge(user_id, 999)
    answer = await stack.pay(user_id, charge, COINS)
    assert answer.json()["status"] == "succeeded", answer.text
    assert answer.json()["parts"][0]["coins"] == 999
    assert (await wallet_of(stack, user_id))["coins"]["balance"] == 501
    body = {name: charge[name] for name in ("booking_id", "charge_id", "user_id", "currency")}
    refunded = await stack.client.put(
        f"/internal/v1/refunds/{new_id()}",
        json={**body, "amount_minor": 333, "reason": "cancellation"},
        headers=stack.service(),
    )
    assert refunded.json()["destinations"][0]["kind"] == "coins"
    coins = (await wallet_of(stack, user_id))["coins"]
    assert coins["balance"] == 834
    assert {lot["expires_at"] for lot in coins["expiring"]} == {"2027-12-01T08:00:00Z"}
    await stack.assert_books_balance()


async def test_coins_cannot_pay_a_currency_they_have_no_worth_in(stack: Stack, user_id: UUID) -> None:
    await join(stack, user_id)
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id, 10, "BDT"), COINS)
    assert (answer.status_code, answer.json()["code"]) == (422, "method-not-accepted")


async def test_points_are_accounts_like_any_other(stack: Stack, user_id: UUID) -> None:
    points, source = accounts.points(user_id), accounts.adjustments("POINT")

    async def move(*lines: Line) -> None:
        async with stack.container.db.transaction() as session:
            await post(session, Posting(f"test:{new_id()}", "adjustment", lines), now=stack.clock.now())

    for amount in (700, 300):
        await move(*transfer(source, points, amount))
    with pytest.raises(InsufficientFunds):
        await move(*transfer(points, source, 1001))
    assert (await wallet_of(stack, user_id))["points"] == 1000
    params = {"unit": "POINT", "limit": 1}
    page = (await stack.client.get("/v1/wallet/entries", params=params, headers=stack.person(user_id))).json()
    [entry] = page["items"]
    assert (entry["account"], entry["amount"], entry["balance_after"]["amount"]) == (
        "points", {"amount": "300", "currency": "POINT"}, "1000",
    )  # fmt: skip
    assert page["next_cursor"] is not None
    await stack.assert_books_balance()


async def test_expired_coins_leave_and_cannot_be_spent(stack: Stack, user_id: UUID) -> None:
    await join(stack, user_id)
    stack.clock.advance(timedelta(days=365))
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id, 100), COINS)
    assert answer.json()["failure"]["code"] == "insufficient-funds"
    assert await expire_coins(stack.container.db, stack.clock) == 1
    assert await stack.balance(accounts.coins(user_id)) == 0
    await stack.assert_books_balance()


def test_what_expires_first_is_spent_first(clock: Any) -> None:
    now = clock.now()
    lots = [Lot(UUID(int=n), 10, now + timedelta(days=days)) for n, days in ((1, 30), (2, 10), (3, 20))]
    assert choose_lots(lots, 15) == [(UUID(int=2), 10), (UUID(int=3), 5)]
    assert choose_lots(lots, 31) is None
    assert returned_expiry(now + timedelta(days=3), now) == now + timedelta(days=30)


async def test_a_split_payment_takes_every_part(stack: Stack, user_id: UUID) -> None:
    await join(stack, user_id)
    await stack.fund(user_id, 20_000)
    charge = stack.booking.add_charge(user_id)
    answer = await stack.pay(user_id, charge, split((card(), "402.40"), (WALLET, "200.00"), (COINS, "10.00")))
    assert answer.json()["status"] == "succeeded", answer.text
    assert [part["kind"] for part in answer.json()["parts"]] == ["wallet", "coins", "card"]
    assert await stack.balance(accounts.charges("USD")) == 61240
    assert await stack.balance(accounts.in_flight("USD")) == 0
    body = {name: charge[name] for name in ("booking_id", "charge_id", "user_id", "currency")}
    refunded = await stack.client.put(
        f"/internal/v1/refunds/{new_id()}",
        json={**body, "amount_minor": 30620, "reason": "cancellation"},
        headers=stack.service(),
    )
    found = {item["kind"]: item["amount_minor"] for item in refunded.json()["destinations"]}
    assert found == {"card": 20120, "wallet": 10000, "coins": 500}
    await stack.assert_books_balance()


async def test_when_one_part_of_a_split_fails_the_others_are_given_back(stack: Stack, user_id: UUID) -> None:
    await join(stack, user_id)
    await stack.fund(user_id, 20_000)
    method = split((WALLET, "200.00"), (COINS, "10.00"), (card("4000000000000002"), "402.40"))
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), method)
    assert (answer.json()["status"], answer.json()["failure"]["code"]) == ("failed", "card-declined")
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 20_000
    assert (await wallet_of(stack, user_id))["coins"]["balance"] == 1500
    assert await stack.balance(accounts.in_flight("USD")) == 0
    await stack.assert_books_balance()


async def test_when_the_second_card_of_a_split_fails_the_first_is_refunded(stack: Stack, user_id: UUID) -> None:
    method = split((card(), "300.00"), (card("4000000000009995"), "312.40"))
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), method)
    assert answer.json()["status"] == "failed"
    await drive_refunds(stack.container.db, stack.container.providers, stack.clock)
    [refund] = await stack.sql("SELECT status, reason, amount_minor FROM refund")
    assert tuple(refund) == ("succeeded", "payment_failed", 30000)
    assert await stack.balance(accounts.provider("sandbox", "USD")) == 0
    await stack.assert_books_balance()


@pytest.mark.parametrize(
    "parts",
    [
        ((WALLET, "612.39"), (COINS, "0.02")),
        ((WALLET, "300.00"), (WALLET, "312.40")),
        ((WALLET, "612.40"), (COINS, "0.00")),
    ],
)
async def test_parts_that_do_not_add_up_are_refused(stack: Stack, user_id: UUID, parts: Any) -> None:
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), split(*parts))
    assert answer.status_code == 422


async def test_an_adjustment_is_a_posting_with_a_reason(stack: Stack, user_id: UUID) -> None:
    admin_id = new_id()
    body = {"user_id": str(user_id), "account": "wallet", "amount": "25.00", "unit": "USD", "reason": "Lost voucher"}
    path = "/v1/admin/ledger/adjustments"
    answer = await stack.client.post(path, json=body, headers=stack.person(admin_id, roles=("admin",)))
    assert answer.status_code == 201, answer.text
    assert answer.json()["balance"] == {"amount": "25.00", "currency": "USD"}
    entries = await stack.client.get(
        f"/v1/admin/ledger/entries?user_id={user_id}", headers=stack.person(admin_id, roles=("support",))
    )
    [entry] = entries.json()["items"]
    assert (entry["reason"], entry["actor_id"]) == ("Lost voucher", str(admin_id))
    for change, status in (({"amount": "-25.01"}, 409), ({"amount": "0"}, 422), ({"unit": "COIN"}, 422)):
        bad = await stack.client.post(path, json={**body, **change}, headers=stack.person(admin_id, roles=("admin",)))
        assert bad.status_code == status
    denied = await stack.client.post(path, json=body, headers=stack.person(user_id, roles=("support",)))
    assert denied.status_code == 403
    coins = {**body, "account": "coins", "unit": "COIN", "amount": "40"}
    granted = await stack.client.post(path, json=coins, headers=stack.person(admin_id, roles=("admin",)))
    assert granted.json()["balance"] == {"amount": "40", "currency": "COIN"}
    assert (await wallet_of(stack, user_id))["coins"]["balance"] == 40
    await stack.assert_books_balance()


async def test_operations_see_accounts_and_can_recompute_the_ledger(stack: Stack, user_id: UUID) -> None:
    await stack.pay(user_id, stack.booking.add_charge(user_id), card())
    await seal_batch(stack.container.db, now=stack.clock.now())
    admin = stack.person(new_id(), roles=("admin",))
    found = (await stack.client.get("/v1/admin/ledger/accounts", headers=admin)).json()["items"]
    assert {item["kind"]: item["balance"]["amount"] for item in found}["charges"] == "612.40"
    check = await stack.client.post("/v1/admin/ledger/checks", headers=admin)
    assert (check.status_code, check.json()["passed"]) == (201, True)
    assert check.json()["links"] == 1


async def test_entries_of_one_payment_are_found_behind_newer_ones_of_its_account(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 1_000_000)
    first = (await stack.pay(user_id, stack.booking.add_charge(user_id, 1), WALLET)).json()["id"]
    for _ in range(3):
        await stack.pay(user_id, stack.booking.add_charge(user_id, 1), WALLET)
    params = {"user_id": str(user_id), "reference_id": first, "limit": 1}
    admin = stack.person(new_id(), roles=("admin",))
    [entry] = (await stack.client.get("/v1/admin/ledger/entries", params=params, headers=admin)).json()["items"]
    assert entry["reference_id"] == first
