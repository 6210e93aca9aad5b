"""Receipts: numbered in one series without gaps, and only for what was paid."""

import asyncio
from typing import Any
from uuid import UUID

from rihla.kernel import new_id

Stack = Any
WALLET = {"type": "wallet"}


async def receipt(stack: Stack, user_id: UUID, payment_id: str) -> Any:
    return await stack.client.get(f"/v1/payments/{payment_id}/receipt", headers=stack.person(user_id))


async def test_numbers_follow_each_other_and_stay(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 1_000_000)
    paid = [(await stack.pay(user_id, stack.booking.add_charge(user_id), WALLET)).json()["id"] for _ in range(4)]
    answers = await asyncio.gather(*(receipt(stack, user_id, payment_id) for payment_id in paid * 2))
    numbers = [answer.json()["number"] for answer in answers]
    assert sorted(set(numbers)) == [f"R-2026-{n:06d}" for n in range(1, 5)]
    assert numbers[:4] == numbers[4:]


async def test_a_receipt_says_what_was_paid_and_what_went_back(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 1_000_000)
    charge = stack.booking.add_charge(user_id)
    payment_id = (await stack.pay(user_id, charge, WALLET)).json()["id"]
    body = {name: charge[name] for name in ("booking_id", "charge_id", "user_id", "currency")}
    await stack.client.put(
        f"/internal/v1/refunds/{new_id()}",
        json={**body, "amount_minor": 1240, "reason": "cancellation"},
        headers=stack.service(),
    )
    found = (await receipt(stack, user_id, payment_id)).json()
    assert (found["booking_reference"], found["amount"]["amount"]) == ("K7QX2M", "612.40")
    assert [one["amount"]["amount"] for one in found["refunds"]] == ["12.40"]
    assert found["remaining"] == {"amount": "600.00", "currency": "USD"}


async def test_there_is_none_for_a_failed_payment_or_for_somebody_else(stack: Stack, user_id: UUID) -> None:
    failed = (await stack.pay(user_id, stack.booking.add_charge(user_id), WALLET)).json()["id"]
    answer = await receipt(stack, user_id, failed)
    assert (answer.status_code, answer.json()["code"]) == (409, "receipt-not-ready")
    assert (await receipt(stack, new_id(), failed)).status_code == 404
