"""Saved cards against too many of them, words out of order, answers of strange shape, and keys that are gone."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from payment_service.payments.reconcile import reconcile
from payment_service.providers.interface import ProviderSilent
from payment_service.saved_methods import store
from payment_service.saved_methods.drive_methods import drive_methods
from payment_service.saved_methods.save_method import AT_MOST
from rihla.encryption import DataCipher
from rihla.kernel import new_id

Stack = Any
StripeServer = Any
PATH = "/v1/payment-methods"


async def begin(stack: Stack, user_id: UUID, **headers: str) -> Any:
    return await stack.client.post(PATH, json={"provider": "stripe"}, headers={**stack.person(user_id), **headers})


async def save(stack: Stack, company: StripeServer, user_id: UUID) -> tuple[str, str]:
    """The id of a method a person has saved, and Stripe's token."""
    method_id = (await begin(stack, user_id)).json()["id"]
    token = company.enter_card(company.setup_of(method_id)["id"])
    await company.deliver(stack)
    await drive_methods(stack.container.vault)
    return method_id, token


async def keep(stack: Stack, user_id: UUID, how_many: int) -> list[UUID]:
    """Cards that were saved long ago."""
    ids = [new_id() for _ in range(how_many)]
    for method_id in ids:
        await stack.sql(
            "INSERT INTO saved_method (id, user_id, provider, status, token_sealed, created_at) "
            "VALUES ($1, $2, 'stripe', 'active', $3, $4)",
            method_id, user_id, stack.container.vault.seal_token(f"pm_{method_id.hex}", method_id), stack.clock.now(),
        )  # fmt: skip
    return ids


async def statuses(stack: Stack, user_id: UUID) -> list[str]:
    rows = await stack.sql("SELECT status FROM saved_method WHERE user_id = $1 ORDER BY id", user_id)
    return [row["status"] for row in rows]


async def test_nobody_keeps_more_cards_than_the_limit(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    [first, *_] = await keep(stack, user_id, AT_MOST)
    for _ in range(2):
        refused = await begin(stack, user_id, **{"idempotency-key": "one"})
        assert (refused.status_code, refused.json()["code"]) == (409, "payment-method-limit")
    assert (company.setups, len(await statuses(stack, user_id))) == ({}, AT_MOST)
    assert (await begin(stack, new_id())).status_code == 201
    company.methods[f"pm_{first.hex}"] = {"id": "pm", "customer": "cus", "metadata": {}, "object": "payment_method"}
    assert (await stack.client.delete(f"{PATH}/{first}", headers=stack.person(user_id))).status_code == 204
    assert (await begin(stack, user_id)).status_code == 201


async def test_two_requests_at_once_do_not_pass_the_limit_together(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    await keep(stack, user_id, AT_MOST - 1)
    db, now = stack.container.db, stack.clock.now()
    async with db.transaction() as one, db.transaction() as two:  # the control: without the lock both see room
        assert [await store.count(session, user_id) for session in (one, two)] == [AT_MOST - 1] * 2
    async with db.transaction() as holder:
        await store.open_customer(holder, user_id, "stripe", key=new_id(), now=now)
        async with db.transaction() as other:  # and with it the second waits for the first
            await other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await store.open_customer(other, user_id, "stripe", key=new_id(), now=now)
            await other.rollback()
    await keep(stack, user_id, 1)
    assert (await begin(stack, user_id)).json()["code"] == "payment-method-limit"


async def test_setups_that_nobody_finished_do_not_lock_their_owner_out(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    oldest = (await begin(stack, user_id)).json()["id"]
    later = await keep(stack, user_id, AT_MOST - 1)
    await stack.sql("UPDATE saved_method SET status = 'pending', token_sealed = NULL WHERE id = ANY ($1)", later)
    assert (await begin(stack, user_id)).status_code == 201
    await drive_methods(stack.container.vault)
    assert await statuses(stack, user_id) == ["pending"] * AT_MOST
    assert company.setup_of(oldest)["status"] == "canceled"
    assert sorted(one["status"] for one in company.setups.values()) == ["canceled", "requires_payment_method"]


async def test_an_event_about_a_setup_we_never_began_is_kept_and_changes_nothing(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    for metadata in ({"rihla_method": str(new_id())}, {"rihla_method": "not an id"}, {}):
        setup = {"id": f"seti_{new_id().hex}", "object": "setup_intent", "status": "succeeded", "metadata": metadata}
        company.tell("setup_intent.succeeded", setup | {"payment_method": "pm_x"})
    assert await company.deliver(stack) == [200, 200, 200]
    rows = await stack.sql("SELECT status, facts FROM provider_event")
    assert [row["status"] for row in rows] == ["ignored"] * 3
    assert (await stack.sql("SELECT 1 FROM saved_method"), await drive_methods(stack.container.vault)) == ([], 0)


async def test_a_second_word_of_success_saves_nothing_twice(stack: Stack, company: StripeServer, user_id: UUID) -> None:
    method_id, _ = await save(stack, company, user_id)
    company.tell("setup_intent.succeeded", company.setup_of(method_id))
    assert await company.deliver(stack) == [200, 200]
    assert (await drive_methods(stack.container.vault), await statuses(stack, user_id)) == (0, ["active"])


async def test_a_card_that_was_let_go_before_we_asked_about_it_is_not_offered(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    method_id = (await begin(stack, user_id)).json()["id"]
    token = company.enter_card(company.setup_of(method_id)["id"])
    company.methods[token]["customer"] = None
    await company.deliver(stack)
    await drive_methods(stack.container.vault)
    assert await statuses(stack, user_id) == []


async def test_one_answer_of_a_strange_shape_stops_nobody_else(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    strange, other = (await begin(stack, user_id)).json()["id"], new_id()
    fine = (await begin(stack, other)).json()["id"]
    for method_id in (strange, fine):
        company.enter_card(company.setup_of(method_id)["id"])
    del company.setup_of(strange)["id"]
    await company.deliver(stack)
    assert await drive_methods(stack.container.vault) == 2
    assert (await statuses(stack, user_id), await statuses(stack, other)) == (["pending"], ["active"])


async def test_a_customer_of_a_strange_shape_is_a_silent_provider(
    stack: Stack, company: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "_new_customer", lambda form: (200, {"object": "customer"}))
    with pytest.raises(ProviderSilent):
        await stack.container.providers.keeper("stripe").open_customer(new_id(), new_id())


async def test_a_card_whose_key_is_gone_takes_no_money_and_its_payment_ends(
    stack: Stack, company: StripeServer, user_id: UUID
) -> None:
    method_id, _ = await save(stack, company, user_id)
    others = DataCipher({"another": b"a" * 32})
    lost = others.encrypt("pm_lost", what="method-token", owner=UUID(method_id))
    await stack.sql("UPDATE saved_method SET token_sealed = $1", lost)
    method = {"type": "card", "provider": "stripe", "saved_method_id": method_id}
    paid = await stack.pay(user_id, stack.booking.add_charge(user_id), method)
    assert (paid.status_code, paid.json()["status"]) == (201, "processing")
    await stack.sql("UPDATE payment SET lease_until = created_at")
    await reconcile(stack.container.db, stack.container.providers, stack.clock)
    read = await stack.client.get(f"/v1/payments/{paid.json()['id']}", headers=stack.person(user_id))
    assert (read.json()["status"], company.intents) == ("failed", {})
    customer = others.encrypt("cus_lost", what="method-customer", owner=user_id)
    await stack.sql("UPDATE method_customer SET sealed = $1", customer)
    assert (await begin(stack, user_id)).status_code == 503
    await stack.assert_books_balance()
