"""auth-service may be away: people who are signed in go on."""

from typing import Any


async def test_tokens_are_verified_while_auth_is_down(start: Any) -> None:
    stack = await start()
    person, another = stack.sign_in(), stack.sign_in()
    assert (await stack.client.get("/v1/bookings", headers=person.headers)).status_code == 200
    for server in list(stack.servers["auth"]):
        await server.stop()
    assert (await stack.client.get("/v1/bookings", headers=another.headers)).status_code == 200
    answer = await stack.client.post("/v1/auth/login", json={})
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream-unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_without_any_key_seen_a_token_is_503_and_the_gateway_is_not_ready(start: Any) -> None:
    stack = await start(without=("auth",), auth_url="http://127.0.0.1:1")
    answer = await stack.client.get("/v1/bookings", headers=stack.sign_in().headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream-unavailable")
    ready = await stack.client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["keys"]) == (503, "failed")
    assert (await stack.client.get("/v1/flights")).status_code == 200
