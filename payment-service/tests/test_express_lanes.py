"""A lane answers exactly as the documented route behind it."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from payment_service.express_lanes import Lane
from rihla.kernel import new_id

Stack = Any


def bodies(stack: Stack, user_id: UUID) -> list[bytes]:
    booking_id = stack.booking.add_charge(user_id)["booking_id"]
    card = {"number": "4242424242424242", "exp_month": 13, "exp_year": 2031, "cvc": "123"}
    found: list[Any] = [
        {"booking_id": booking_id, "method": {"type": "wallet"}, "amount": "1"},
        {"booking_id": "x", "method": {"type": "cash"}},
        {"booking_id": booking_id, "method": {"type": "card", "provider": "sandbox", "card": card}},
        {"booking_id": booking_id, "method": {"type": "card", "provider": "stripe", "card": card}},
        {"booking_id": str(new_id()), "method": {"type": "wallet"}},
        {"booking_id": booking_id, "method": {"type": "wallet"}},
        [],
    ]
    return [b"", b"{", b"\xff", *(json.dumps(body).encode() for body in found)]


async def answers(stack: Stack, user_id: UUID, asked: list[bytes]) -> list[Any]:
    found = []
    for body in asked:
        for without in ((), ("authorization",), ("idempotency-key",)):
            headers = {**stack.person(user_id), "content-type": "application/json"}
            for name in without:
                del headers[name]
            found.append(shape(await stack.client.post("/v1/payments", content=body, headers=headers)))
        found.append(shape(await stack.client.post("/v1/webhooks/sandbox", content=body)))
    return found


def shape(answer: httpx.Response) -> Any:
    """The answer without what differs between any two requests."""
    content = answer.json()
    changing = ("id", "request_id", "created_at", "succeeded_at")
    return answer.status_code, answer.headers["content-type"], {k: v for k, v in content.items() if k not in changing}


async def test_the_lanes_answer_as_the_documented_routes(stack: Stack, user_id: UUID) -> None:
    asked = bodies(stack, user_id)
    through_lanes = await answers(stack, user_id, asked)
    routes = stack.client._transport.app.router.routes
    lanes = [route for route in routes if isinstance(route, Lane)]
    assert len(lanes) == 4
    for lane in lanes:
        routes.remove(lane)
    documented = await answers(stack, user_id, asked)
    assert through_lanes == documented


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_of_unusable_length_is_refused(stack: Stack, user_id: UUID, key: str) -> None:
    answer = await stack.pay(user_id, stack.booking.add_charge(user_id), {"type": "wallet"}, **{"idempotency-key": key})
    assert answer.status_code in (400, 422)
