"""A row that hands on: the service gets a token for one other service, for this caller; nobody can bring their own."""

from typing import Any

import pytest

from rihla.auth import InvalidToken, TokenVerifier

HEADER = "x-internal-booking-authorization"
ASK = "/v1/chat/assistant/questions"


async def test_the_assistant_is_handed_a_token_for_bookings_of_its_caller_only(stack: Any, keyring: Any) -> None:
    person = stack.sign_in()
    forged = {"X-Internal-Booking-Authorization": "Bearer forged"}
    answer = await stack.client.post(ASK, json={}, headers={**person.headers, **forged})
    values = [value for name, value in answer.json()["headers"] if name.lower() == HEADER]
    assert len(values) == 1
    token = values[0].removeprefix("Bearer ")
    principal = TokenVerifier(keyring.jwks, "booking").verify(token)
    assert (principal.kind, str(principal.user_id)) == ("person", answer.json()["user"])
    assert principal.read_only, "services take it for reading alone"
    with pytest.raises(InvalidToken):
        TokenVerifier(keyring.jwks, "payment").verify(token)


async def test_no_other_route_is_handed_anything(stack: Any) -> None:
    answer = await stack.client.get("/v1/flights", headers=stack.sign_in().headers)
    assert HEADER not in {name.lower() for name, _ in answer.json()["headers"]}
