"""Cards saved with Stripe: entered there, kept here by a sealed token, paid with, and forgotten on both sides."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.payments.reconcile import reconcile
from payment_service.saved_methods.drive_methods import PATIENCE, drive_methods
from payment_service.saved_methods.reseal import ALL
from payment_service.subscriptions.consumers import subscription_bindings
from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.db.resealing import reseal
from rihla.encryption import DataCipher
from rihla.kernel import new_id

Stack = Any
StripeServer = Any
Json = dict[str, Any]
PATH = "/v1/payment-methods"


async def begin(stack: Stack, user_id: UUID, **headers: str) -> Any:
    return await stack.client.post(PATH, json={"provider": "stripe"}, headers={**stack.person(user_id), **headers})


async def listed(stack: Stack, user_id: UUID, **params: Any) -> Any:
    answer = await stack.client.get(PATH, headers=stack.person(user_id), params=params)
    return answer.json()["items"]


async def drive(stack: Stack) -> int:
    return await drive_methods(stack.container.vault)


async def save(stack: Stack, company: StripeServer, user_id: UUID, *, wants_holder: bool = False) -> tuple[str, str]:
    """The id of a method a person has saved, and Stripe's token."""
    method_id = (await begin(stack, user_id)).json()["id"]
    [setup] = [one for one in company.setups.values() if one["metadata"]["rihla_method"] == method_id]
    token = company.enter_card(setup["id"], wants_holder=wants_holder)
    await company.deliver(stack)
    await drive(stack)
    return method_id, token


async def delete(stack: Stack, user_id: UUID, method_id: str) -> int:
    answer = await stack.client.delete(f"{PATH}/{method_id}", headers=stack.person(user_id))
    return int(answer.status_code)


async def forget(stack: Stack, user_id: UUID) -> None:
    event, now = UserDeletedV1(user_id=user_id, deleted_at=stack.clock.now()), stack.clock.now()
    [binding] = subscription_bindings(stack.clock)
    async with stack.container.db.transaction() as session:
        await binding.handler(session, Envelope.of(event, subject=str(user_id), sequence=1, time=now))


def by_saved(method_id: str) -> Json:
    return {"type": "card", "provider": "stripe", "saved_method_id": method_id}


async def test_a_card_is_saved_at_stripe_paid_with_and_removed(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    begun = await begin(stack, user_id)
    [setup] = company.setups.values()
    assert (begun.status_code, begun.json()["status"]) == (201, "pending")
    assert begun.json()["client_secret"] == setup["client_secret"]
    assert await listed(stack, user_id) == []
    token = company.enter_card(setup["id"])
    assert await company.deliver(stack) + await company.deliver(stack) == [200, 200]
    assert await drive(stack) == 1
    [kept] = await listed(stack, user_id)
    assert (kept["brand"], kept["last4"], kept["exp_month"], kept["exp_year"]) == ("visa", "4242", 12, 2031)
    assert (kept["id"], kept["status"], kept["is_default"]) == (begun.json()["id"], "active", True)
    paid = (await stack.pay(user_id, stack.booking.add_charge(user_id), by_saved(kept["id"]))).json()
    [intent] = company.intents.values()
    assert (paid["status"], intent["payment_method"]) == ("succeeded", token)
    assert intent["customer"] in company.customers
    assert await delete(stack, user_id, kept["id"]) == 204
    assert company.methods[token]["customer"] is None
    assert (await listed(stack, user_id), await stack.sql("SELECT * FROM saved_method")) == ([], [])
    assert await delete(stack, user_id, kept["id"]) == 404
    assert set(await company.deliver(stack)) == {200}
    await stack.assert_books_balance()


async def test_a_repeat_begins_nothing_and_says_the_secret_as_long_as_it_is_of_use(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    first = await begin(stack, user_id, **{"idempotency-key": "one"})
    again = await begin(stack, user_id, **{"idempotency-key": "one"})
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    [setup] = company.setups.values()
    company.enter_card(setup["id"])
    await company.deliver(stack)
    await drive(stack)
    last = (await begin(stack, user_id, **{"idempotency-key": "one"})).json()
    assert (last["status"], last["client_secret"]) == ("active", None)
    assert (len(company.setups), len(company.customers)) == (1, 1)
    await begin(stack, user_id)
    assert (len(company.setups), len(company.customers)) == (2, 1)


async def test_an_answer_that_is_lost_begins_nothing_twice(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    for lost in range(2):
        company.lose_answers = True
        assert (await begin(stack, user_id, **{"idempotency-key": "one"})).status_code == 503
        company.lose_answers = False
        if lost == 0:
            stack.clock.advance(timedelta(seconds=31))
    stack.clock.advance(timedelta(seconds=31))
    begun = await begin(stack, user_id, **{"idempotency-key": "one"})
    [setup] = company.setups.values()
    assert (begun.json()["client_secret"], len(company.customers)) == (setup["client_secret"], 1)


async def test_a_webhook_without_the_right_signature_changes_nothing(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    await begin(stack, user_id)
    [setup] = company.setups.values()
    company.enter_card(setup["id"])
    assert await company.deliver(stack, "whsec_another") == [400]
    assert (await drive(stack), await listed(stack, user_id)) == (0, [])


async def test_the_provider_is_asked_when_no_webhook_comes(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    await begin(stack, user_id)
    [setup] = company.setups.values()
    company.enter_card(setup["id"])
    stack.clock.advance(timedelta(seconds=61))
    assert await drive(stack) == 1
    assert len(await listed(stack, user_id)) == 1


async def test_an_event_that_comes_before_our_own_answer_is_not_lost(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    company.lose_answers_of = "/v1/setup_intents"
    assert (await begin(stack, user_id, **{"idempotency-key": "one"})).status_code == 503
    company.lose_answers_of = ""
    [setup] = company.setups.values()
    company.enter_card(setup["id"])
    assert await company.deliver(stack) == [200]
    [row] = await stack.sql("SELECT status, reference FROM saved_method")
    assert (row["status"], row["reference"]) == ("pending", setup["id"])
    assert await drive(stack) == 1
    assert [one["status"] for one in await listed(stack, user_id)] == ["active"]


async def test_a_card_the_bank_refuses_is_not_saved_and_another_may_be_entered(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    key = {"idempotency-key": "one"}
    begun = await begin(stack, user_id, **key)
    [setup] = company.setups.values()
    company.decline_card(setup["id"])
    assert await company.deliver(stack) == [200]
    failed = (await begin(stack, user_id, **key)).json()
    assert (failed["status"], failed["client_secret"]) == ("failed", setup["client_secret"])
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), by_saved(begun.json()["id"]))
    assert (answer.status_code, answer.json()["code"]) == (404, "payment-method-not-found")
    company.enter_card(setup["id"])
    await company.deliver(stack)
    await drive(stack)
    assert len(await listed(stack, user_id)) == 1


async def test_a_bank_that_wants_the_holder_there_is_answered_on_the_payment_page(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    method_id, token = await save(stack, company, user_id, wants_holder=True)
    paid = (await stack.pay(user_id, stack.booking.add_charge(user_id), by_saved(method_id))).json()
    [intent] = company.intents.values()
    assert (paid["status"], paid["next_action"]["type"]) == ("requires_action", "redirect")
    assert paid["next_action"]["url"].endswith(f"#{intent['client_secret']}")
    await company.deliver(stack)  # Stripe also says payment_failed: the holder may still confirm
    company.confirm(intent["id"], token)
    await company.deliver(stack)
    read = await stack.client.get(f"/v1/payments/{paid['id']}", headers=stack.person(user_id))
    assert read.json()["status"] == "succeeded"
    await stack.assert_books_balance()


async def test_anothers_card_does_not_exist(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    method_id, token = await save(stack, company, user_id)
    stranger = new_id()
    assert await delete(stack, stranger, method_id) == 404
    chosen = await stack.client.post(f"{PATH}/{method_id}/default", headers=stack.person(stranger))
    paid = await stack.pay(stranger, stack.booking.add_charge(stranger), by_saved(method_id))
    top_up = {"amount": {"amount": "20.00", "currency": "USD"}, "method": by_saved(method_id)}
    filled = await stack.client.post("/v1/wallet/top-ups", json=top_up, headers=stack.person(stranger))
    assert [one.status_code for one in (chosen, paid, filled)] == [404, 404, 404], filled.text
    assert (await listed(stack, stranger), company.intents) == ([], {})
    assert company.methods[token]["customer"] is not None
    assert len(await listed(stack, user_id)) == 1
    mine = await stack.client.post("/v1/wallet/top-ups", json=top_up, headers=stack.person(user_id))
    assert mine.json()["status"] == "succeeded"


async def test_one_card_is_the_default_and_pages_go_on(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    ids = [(await save(stack, company, user_id))[0] for _ in range(3)]
    assert [one["id"] for one in await listed(stack, user_id) if one["is_default"]] == ids[:1]
    answer = await stack.client.post(f"{PATH}/{ids[2]}/default", headers=stack.person(user_id))
    assert answer.json()["is_default"] is True
    assert [one["id"] for one in await listed(stack, user_id) if one["is_default"]] == ids[2:]
    page = (await stack.client.get(PATH, params={"limit": 2}, headers=stack.person(user_id))).json()
    rest = {"limit": 2, "cursor": page["next_cursor"]}
    assert [one["id"] for one in page["items"]] + [one["id"] for one in await listed(stack, user_id, **rest)] == ids[
        ::-1
    ]


@pytest.mark.parametrize("way", ["down", "lose_answers"])
async def test_a_removal_that_stops_on_the_way_is_finished_by_the_worker(
    stack: Stack, company: StripeServer, user_id: UUID, way: str
) -> None:
    method_id, token = await save(stack, company, user_id)
    setattr(company, way, True)
    assert await delete(stack, user_id, method_id) == 204
    assert (await listed(stack, user_id), await delete(stack, user_id, method_id)) == ([], 404)
    charge = stack.booking.add_charge(user_id)
    assert (await stack.pay(user_id, charge, by_saved(method_id))).status_code == 404
    assert len(await stack.sql("SELECT 1 FROM saved_method")) == 1
    setattr(company, way, False)
    stack.clock.advance(timedelta(minutes=5))
    assert await drive(stack) == 1
    assert (await stack.sql("SELECT 1 FROM saved_method"), company.methods[token]["customer"]) == ([], None)


async def test_a_card_detached_at_stripe_is_gone_here(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    _, token = await save(stack, company, user_id)
    company.tell("payment_method.detached", company.methods[token] | {"customer": None})
    assert set(await company.deliver(stack)) == {200}
    assert await listed(stack, user_id) == []


async def test_a_card_nobody_enters_is_given_up(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    await begin(stack, user_id)
    stack.clock.advance(PATIENCE)
    assert [await drive(stack), await drive(stack), await drive(stack)] == [1, 1, 0]
    assert [one["status"] for one in company.setups.values()] == ["canceled"]
    assert await stack.sql("SELECT 1 FROM saved_method") == []


async def test_nothing_of_a_deleted_person_is_left_here_or_at_stripe(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    other = new_id()
    _, token = await save(stack, company, user_id)
    _, kept = await save(stack, company, other)
    await begin(stack, user_id)
    for _ in range(2):
        await forget(stack, user_id)
    assert [await drive(stack), await drive(stack), await drive(stack)] == [2, 1, 0]
    assert company.methods[token]["customer"] is None
    assert sorted(one["status"] for one in company.setups.values()) == ["canceled", "succeeded", "succeeded"]
    assert [one["metadata"]["rihla_user"] for one in company.customers.values()] == [str(other)]
    assert await stack.sql("SELECT 1 FROM saved_method WHERE user_id = $1", user_id) == []
    [row] = await stack.sql("SELECT state, sealed FROM method_customer WHERE user_id = $1", user_id)
    assert (row["state"], row["sealed"]) == ("closed", None)
    late = await begin(stack, user_id)
    assert (late.status_code, late.json()["code"]) == (409, "provider-not-available")
    assert company.methods[kept]["customer"] is not None


async def test_a_removed_card_of_a_payment_that_stopped_on_the_way_is_asked_for_at_stripe(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    method_id, _ = await save(stack, company, user_id)
    company.lose_answers = True
    paid = (await stack.pay(user_id, stack.booking.add_charge(user_id), by_saved(method_id))).json()
    company.lose_answers = False
    assert (paid["status"], await delete(stack, user_id, method_id)) == ("processing", 204)
    stack.clock.advance(timedelta(seconds=61))
    await reconcile(stack.container.db, stack.container.providers, stack.clock)
    read = await stack.client.get(f"/v1/payments/{paid['id']}", headers=stack.person(user_id))
    assert read.json()["status"] == "succeeded"
    await stack.assert_books_balance()


@pytest.mark.parametrize("provider", ["sandbox", "paymob"])
async def test_who_keeps_no_cards_says_so(stack: Stack, user_id: UUID, provider: str) -> None:
    answer = await stack.client.post(PATH, json={"provider": provider}, headers=stack.person(user_id))
    assert (answer.status_code, answer.json()["code"]) == (422, "method-not-accepted")
    assert "keeps no cards" in answer.json()["detail"]
    method = {"type": "card", "provider": "paymob", "saved_method_id": str(new_id())}
    paid = await stack.pay(user_id, stack.booking.add_charge(user_id), method)
    assert (paid.status_code, "only `stripe` keeps cards" in paid.text) == (422, True)


async def test_no_token_is_in_clear_in_a_table_or_a_log(
    stack: Stack, company: StripeServer, user_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    method_id, token = await save(stack, company, user_id)
    second = (await begin(stack, user_id)).json()
    await stack.pay(user_id, stack.booking.add_charge(user_id), by_saved(method_id))
    company.down = True
    await delete(stack, user_id, method_id)
    await company.deliver(stack)
    [customer] = company.customers
    tables = await stack.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    for secret in (token, customer, second["client_secret"]):
        assert secret not in caplog.text
        as_bytes = secret.encode().hex()
        for table in (row["table_name"] for row in tables):
            seen = f"SELECT 1 FROM {table} AS r WHERE r::text LIKE $1 OR r::text LIKE $2"
            assert not await stack.sql(seen, f"%{secret}%", f"%{as_bytes}%"), (table, secret[:4])


async def test_everything_sealed_moves_to_a_new_key(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    await save(stack, company, user_id)
    await begin(stack, user_id)
    old = stack.settings.encryption_keys()
    both, db = DataCipher({"new": b"n" * 32, **old}), stack.container.db
    assert await reseal(db, DataCipher({"new": b"n" * 32}), ALL) == (0, 3)
    assert await reseal(db, both, ALL) == (3, 0)
    assert await reseal(db, both, ALL) == (0, 0)
    [row] = await stack.sql("SELECT id, token_sealed FROM saved_method WHERE status = 'active'")
    only_new = DataCipher({"new": b"n" * 32})
    assert only_new.decrypt(row["token_sealed"], what="method-token", owner=row["id"]) in company.methods
