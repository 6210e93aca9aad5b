"""What a payment costs in calls to the database: the hot paths stay at the few that correctness needs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import event

from sandbox_provider.signing import signature_header

Stack = Any
WALLET = {"type": "wallet"}


def card(number: str = "4242424242424242") -> dict[str, Any]:
    return {
        "type": "card",
        "provider": "sandbox",
        "card": {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "123"},
    }


@asynccontextmanager
async def calls(stack: Stack) -> AsyncIterator[list[str]]:
    """Every statement that leaves for the database while the block runs, on either driver."""
    seen: list[str] = []
    engine = stack.container.db.engine.sync_engine
    connection = stack.container.desk._connection._kept

    def by_sqlalchemy(*arguments: Any) -> None:
        seen.append(str(arguments[2]))

    def by_asyncpg(record: Any) -> None:
        seen.append(record.query)

    event.listen(engine, "before_cursor_execute", by_sqlalchemy)
    connection.add_query_logger(by_asyncpg)
    try:
        yield seen
        await asyncio.sleep(0)  # the driver's loggers are called by the loop
    finally:
        event.remove(engine, "before_cursor_execute", by_sqlalchemy)
        connection.remove_query_logger(by_asyncpg)


async def warm(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 10_000_000)
    await stack.pay(user_id, stack.booking.add_charge(user_id), WALLET)


async def test_a_wallet_payment_is_one_reading_and_one_writing_call(stack: Stack, user_id: UUID) -> None:
    await warm(stack, user_id)
    async with calls(stack) as seen:
        answer = await stack.pay(user_id, stack.booking.add_charge(user_id), WALLET)
    assert answer.json()["status"] == "succeeded"
    assert len(seen) == 2, seen
    assert "till_write" in seen[1]


async def test_a_card_payment_is_two_such_pairs_around_the_providers_call(stack: Stack, user_id: UUID) -> None:
    await warm(stack, user_id)
    async with calls(stack) as seen:
        answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card())
    assert answer.json()["status"] == "succeeded"
    assert ["till_write" in statement for statement in seen] == [False, True, False, True]


async def test_a_webhook_is_one_pair_and_a_repeat_only_reads(stack: Stack, user_id: UUID) -> None:
    await warm(stack, user_id)
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), card("4000000000000259"))
    [part] = await stack.sql("SELECT id FROM payment_part WHERE payment_id = $1", UUID(answer.json()["id"]))
    data = {
        "id": "pay_x", "idempotency_key": str(part["id"]), "amount_minor": 61240, "currency": "USD", "reference": "",
        "status": "succeeded",
    }  # fmt: skip
    body = json.dumps({"id": "evt_one", "type": "payment.succeeded", "created": 0, "data": data}).encode()
    signed = signature_header(body, timestamp=int(stack.clock.now().timestamp()), secrets=["whsec_sandbox_local"])
    for expected in (2, 1):
        async with calls(stack) as seen:
            await stack.client.post("/v1/webhooks/sandbox", content=body, headers={"Sandbox-Signature": signed})
        assert len(seen) == expected, seen
    assert len(await stack.events("payment.succeeded.v1")) == 2


async def test_payments_that_come_together_share_their_calls(stack: Stack, user_id: UUID) -> None:
    await warm(stack, user_id)
    charges = [stack.booking.add_charge(user_id, 100) for _ in range(20)]
    async with calls(stack) as seen:
        answers = await asyncio.gather(*(stack.pay(user_id, charge, WALLET) for charge in charges))
    assert {answer.json()["status"] for answer in answers} == {"succeeded"}
    assert len(seen) < 20, len(seen)
    await stack.assert_books_balance()
