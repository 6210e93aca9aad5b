"""What is due, asked by several payments at once: one request, the answers each would have had alone."""

import asyncio
from typing import Any

import pytest

from payment_service.payments.errors import BookingNotFound, ChargeNotDue
from rihla.http import UpstreamUnavailable
from rihla.kernel import new_id


async def ask_all(stack: Any, charges: list[dict[str, Any]]) -> list[Any]:
    due = stack.container.booking.charge_due
    asked = (due(one["booking_id"], None, one["user_id"]) for one in charges)
    return list(await asyncio.gather(*asked, return_exceptions=True))


async def test_payments_that_come_together_ask_in_one_request(stack: Any) -> None:
    charges = [stack.booking.add_charge(new_id(), 1000 + n) for n in range(6)]
    found = await ask_all(stack, charges)
    assert stack.booking.calls == 1
    assert [(str(one.charge_id), one.amount_minor) for one in found] == [
        (one["charge_id"], one["amount_minor"]) for one in charges
    ]


async def test_a_refusal_in_a_batch_is_the_one_it_would_be_alone_and_touches_nobody_else(stack: Any) -> None:
    good, paid, hers = [stack.booking.add_charge(new_id()) for _ in range(3)]
    paid["status"] = "paid"
    found = await ask_all(stack, [good, paid, {**hers, "user_id": str(new_id())}, hers])
    assert [str(found[at].charge_id) for at in (0, 3)] == [good["charge_id"], hers["charge_id"]]
    assert [type(found[at]) for at in (1, 2)] == [ChargeNotDue, BookingNotFound]


async def test_a_batch_that_is_not_answered_is_an_outage_for_each(stack: Any) -> None:
    charges = [stack.booking.add_charge(new_id()) for _ in range(3)]
    stack.booking.down = True
    assert {type(one) for one in await ask_all(stack, charges)} == {UpstreamUnavailable}
    stack.booking.down = False


@pytest.mark.parametrize("count", [1, 3])
async def test_one_question_or_several_give_the_same_charge(stack: Any, count: int) -> None:
    charges = [stack.booking.add_charge(new_id()) for _ in range(count)]
    found = await ask_all(stack, charges)
    assert [(str(one.booking_id), str(one.user_id), one.reference) for one in found] == [
        (one["booking_id"], one["user_id"], one["reference"]) for one in charges
    ]
