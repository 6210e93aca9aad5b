"""What providers say of a person's card: kept no longer than it is needed, and not at all once the person is gone."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.payments import store
from payment_service.payments.settle import record_taking
from payment_service.providers.interface import TakeOutcome
from payment_service.subscriptions.consumers import subscription_bindings
from payment_service.webhooks.receive import retry_pending
from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.kernel import new_id
from rihla.testing import eventually
from sandbox_provider.signing import signature_header

Stack = Any
TRACES = ("card_brand", "card_last4", "action_url")


async def delete(stack: Stack, user_id: UUID) -> None:
    event, now = UserDeletedV1(user_id=user_id, deleted_at=stack.clock.now()), stack.clock.now()
    [binding] = subscription_bindings(stack.clock)
    async with stack.container.db.transaction() as session:
        await binding.handler(session, Envelope.of(event, subject=str(user_id), sequence=1, time=now))


async def begin(stack: Stack, user_id: UUID) -> Any:
    """A payment whose success is said later, and its part."""
    card = {"number": "4000000000000259", "exp_month": 12, "exp_year": 2031, "cvc": "737"}
    method = {"type": "card", "provider": "sandbox", "card": card}
    answer = (await stack.pay(user_id, stack.booking.add_charge(user_id), method)).json()
    [part] = await stack.sql("SELECT * FROM payment_part WHERE payment_id = $1", UUID(answer["id"]))
    return part


async def say(stack: Stack, key: object, status: str = "succeeded") -> int:
    """The company's word on the part with this key; how it was answered."""
    data = {
        "id": f"pay_{new_id().hex}", "idempotency_key": str(key), "amount_minor": 61240, "currency": "USD",
        "status": status, "brand": "visa", "last4": "0259",
    }  # fmt: skip
    body = json.dumps({"id": f"evt_{new_id().hex}", "type": f"payment.{status}", "created": 0, "data": data}).encode()
    signed = signature_header(body, timestamp=int(stack.clock.now().timestamp()), secrets=["whsec_sandbox_local"])
    return int(
        (
            await stack.client.post("/v1/webhooks/sandbox", content=body, headers={"Sandbox-Signature": signed})
        ).status_code
    )


async def words(stack: Stack) -> list[tuple[str, dict[str, Any]]]:
    rows = await stack.sql("SELECT status, facts FROM provider_event ORDER BY id")
    return [(row["status"], json.loads(row["facts"])["outcome"]) for row in rows]


async def part_of(stack: Stack, part_id: UUID) -> tuple[str, str | None, str | None]:
    [row] = await stack.sql("SELECT status, card_brand, card_last4 FROM payment_part WHERE id = $1", part_id)
    return row["status"], row["card_brand"], row["card_last4"]


async def unlinked(stack: Stack, part_id: UUID) -> None:
    """The part as it is before our own answer came: the company's id and the card are not known."""
    query = "UPDATE payment_part SET provider_reference = NULL, card_brand = NULL, card_last4 = NULL WHERE id = $1"
    await stack.sql(query, part_id)


@pytest.mark.parametrize("status", ["succeeded", "declined"], ids=["in a group", "by itself"])
async def test_an_event_that_was_handled_says_nothing_of_a_card(stack: Stack, user_id: UUID, status: str) -> None:
    part = await begin(stack, user_id)
    await unlinked(stack, part["id"])
    assert await say(stack, part["id"], status) == 200
    [(handled, outcome)] = await words(stack)
    assert (handled, [name for name in TRACES if name in outcome]) == ("handled", [])
    assert (await part_of(stack, part["id"]))[1:] == ("visa", "0259")


@pytest.mark.parametrize("status", ["succeeded", "declined"], ids=["in a group", "by itself"])
async def test_a_word_that_comes_after_the_account_is_gone_brings_no_card_back(
    stack: Stack, user_id: UUID, status: str
) -> None:
    part = await begin(stack, user_id)
    await unlinked(stack, part["id"])
    await delete(stack, user_id)
    assert await say(stack, part["id"], status) == 200
    ended = "taken" if status == "succeeded" else "failed"
    assert await part_of(stack, part["id"]) == (ended, None, None)
    await stack.assert_books_balance()


async def test_a_word_that_waits_to_be_applied_is_cleared_with_the_account(stack: Stack, user_id: UUID) -> None:
    part, other = await begin(stack, user_id), await begin(stack, new_id())
    for one in (part, other):
        await unlinked(stack, one["id"])
        assert await say(stack, new_id()) == 200  # nobody's part yet
    events = await stack.sql("SELECT id FROM provider_event ORDER BY id")
    for event, one in zip(events, (part, other), strict=True):
        known = "UPDATE provider_event SET facts = jsonb_set(facts, '{key}', to_jsonb($1::text)) WHERE id = $2"
        await stack.sql(known, str(one["id"]), event["id"])
    await delete(stack, user_id)
    [(mine, without), (theirs, whole)] = await words(stack)
    assert (mine, theirs) == ("pending", "pending")
    assert ([name for name in TRACES if name in without], whole["card_last4"]) == ([], "0259")
    stack.clock.advance(timedelta(seconds=6))
    assert await retry_pending(stack.container.db, stack.clock) == 2
    assert [await part_of(stack, one["id"]) for one in (part, other)] == [
        ("taken", None, None), ("taken", "visa", "0259"),
    ]  # fmt: skip
    assert [name for _, outcome in await words(stack) for name in TRACES if name in outcome] == []


async def test_a_deletion_waits_for_the_word_that_is_being_applied(stack: Stack, user_id: UUID) -> None:
    row = await begin(stack, user_id)
    await unlinked(stack, row["id"])
    outcome = TakeOutcome("succeeded", "pay_x", 61240, "USD", card_brand="visa", card_last4="0259")
    async with stack.container.db.transaction() as session:
        part = await store.find_part(session, key=row["id"])
        await record_taking(session, part, outcome, now=stack.clock.now())
        # The control: the card is not to be seen yet, so an erasure that did not wait would miss it.
        assert (await part_of(stack, row["id"]))[2] is None
        deletion = asyncio.create_task(delete(stack, user_id))
        assert await eventually(lambda: waiting(stack))
    await deletion
    assert await part_of(stack, row["id"]) == ("taken", None, None)


async def waiting(stack: Stack) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await stack.sql(query))
