"""Several payments of one charge: at most one succeeds, and the loser's money goes back by itself."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg

from payment_service.ledger import accounts
from payment_service.refunds.drive_refunds import drive_refunds

Stack = Any


def card(number: str = "4242424242424242") -> dict[str, Any]:
    return {
        "type": "card",
        "provider": "sandbox",
        "card": {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"},
    }


async def both_at_the_provider(stack: Stack, count: int) -> None:
    """Hold back the provider's answers until all attempts are there, so that every one was captured."""
    barrier = asyncio.Barrier(count)

    async def wait() -> None:
        await barrier.wait()

    stack.wire.before_answer = wait


async def test_of_racing_card_payments_one_succeeds_and_the_others_are_refunded(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    await both_at_the_provider(stack, 5)
    answers = [
        answer.json() for answer in await asyncio.gather(*(stack.pay(user_id, charge, card()) for _ in range(5)))
    ]
    stack.wire.before_answer = None
    assert sorted(answer["status"] for answer in answers) == ["failed"] * 4 + ["succeeded"]
    assert {a["failure"]["code"] for a in answers if a["failure"]} == {"charge-already-paid"}
    while await drive_refunds(stack.container.db, stack.container.providers, stack.clock):
        pass
    refunds = await stack.sql("SELECT reason, status, amount_minor FROM refund")
    assert [tuple(refund) for refund in refunds] == [("superseded", "succeeded", 61240)] * 4
    assert len(await stack.events("payment.succeeded.v1")) == 1
    assert await stack.balance(accounts.provider("sandbox", "USD")) == -61240
    assert await stack.balance(accounts.in_flight("USD")) == 0
    await stack.assert_books_balance()


async def test_a_capture_that_is_told_after_another_payment_paid_the_charge_is_given_back(
    stack: Stack, user_id: UUID
) -> None:
    charge = stack.booking.add_charge(user_id)
    arrived, told = asyncio.Barrier(2), [asyncio.Event(), asyncio.Event()]
    turns = iter(told)

    async def wait() -> None:
        mine = next(turns)
        await arrived.wait()
        await mine.wait()

    stack.wire.before_answer = wait
    both = [asyncio.create_task(stack.pay(user_id, charge, card())) for _ in range(2)]
    told[0].set()
    first, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    assert [one.result().json()["status"] for one in first] == ["succeeded"]
    told[1].set()
    answers = [answer.json() for answer in await asyncio.gather(*both)]
    stack.wire.before_answer = None
    assert sorted(answer["status"] for answer in answers) == ["failed", "succeeded"]
    while await drive_refunds(stack.container.db, stack.container.providers, stack.clock):
        pass
    assert [tuple(one) for one in await stack.sql("SELECT reason, status FROM refund")] == [("superseded", "succeeded")]
    await stack.assert_books_balance()


async def test_the_same_race_without_the_index_lets_two_succeed(stack: Stack, user_id: UUID) -> None:
    connection = await asyncpg.connect(stack.container.db.url)
    await connection.execute("DROP INDEX uq_payment_succeeded_charge")
    await connection.close()
    charge = stack.booking.add_charge(user_id)
    await both_at_the_provider(stack, 2)
    answers = await asyncio.gather(*(stack.pay(user_id, charge, card()) for _ in range(2)))
    assert [answer.json()["status"] for answer in answers] == ["succeeded", "succeeded"]


async def test_racing_wallet_payments_of_one_charge_take_the_money_once(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 1_000_000)
    charge = stack.booking.add_charge(user_id)
    answers = await asyncio.gather(*(stack.pay(user_id, charge, {"type": "wallet"}) for _ in range(8)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201] + [409] * 7
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 1_000_000 - 61240
    await stack.assert_books_balance()


async def test_a_wallet_that_covers_three_of_ten_racing_payments_pays_three(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 3 * 61240 + 1)
    charges = [stack.booking.add_charge(user_id) for _ in range(10)]
    answers = await asyncio.gather(*(stack.pay(user_id, charge, {"type": "wallet"}) for charge in charges))
    assert [a.status_code for a in answers] == [201] * 10
    assert sorted(a.json()["status"] for a in answers) == ["failed"] * 7 + ["succeeded"] * 3
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 1
    await stack.assert_books_balance()


async def test_the_same_request_sent_at_once_many_times_pays_once(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    answers = await asyncio.gather(*(stack.pay(user_id, charge, card(), **{"idempotency-key": "k"}) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"request-in-progress"}
    assert [request for request in stack.wire.requests if request[0] == "POST"] == [("POST", "/v1/payments")]
