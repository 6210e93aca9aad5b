"""Partner keys."""

import asyncio
from typing import Any

import pytest

from gateway.settings import Settings
from rihla.auth import TokenVerifier
from rihla.testing import eventually
from rihla.testing.keyring import Keyring

_KEPT_LONG = {"api_key_seconds": 3600.0}


async def test_a_key_becomes_a_partner_with_scopes_and_mode(stack: Any) -> None:
    seen = (await stack.client.get("/v1/bookings", headers=stack.partner())).json()
    assert (seen["kind"], seen["test_mode"], seen["roles"]) == ("partner", True, ["partner"])
    assert seen["scopes"] == ["bookings:write", "offers:read"]
    live = (await stack.client.get("/v1/bookings", headers=stack.partner("rk_live_abcdefgh12345678"))).json()
    assert live["test_mode"] is False


async def test_unknown_and_misshapen_keys_are_401_and_guessing_one_does_not_bother_auth_each_time(start: Any) -> None:
    stack = await start(beyond=_KEPT_LONG)
    for key in ("rk_live_unknown0unknown0", "nonsense", "rk_test_", "rk_test_" + "a" * 500):
        answer = await stack.client.get("/v1/bookings", headers={"X-API-Key": key})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid-api-key")
    for _ in range(10):
        await stack.client.get("/v1/bookings", headers={"X-API-Key": "rk_live_unknown0unknown0"})
    assert stack.auth.exchanges == 1


async def test_a_key_is_exchanged_once_for_many_requests_at_once(start: Any) -> None:
    stack = await start(beyond=_KEPT_LONG)
    headers = stack.partner()
    answers = await asyncio.gather(*(stack.client.get("/v1/bookings", headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert stack.auth.exchanges == 1


async def test_a_key_and_a_token_together_are_400(stack: Any) -> None:
    answer = await stack.client.get("/v1/bookings", headers={**stack.partner(), **stack.sign_in().headers})
    assert (answer.status_code, answer.json()["code"]) == (400, "ambiguous-credentials")


async def test_a_key_that_auth_forgets_stops_working_within_five_seconds_without_any_message(
    stack: Any, keyring: Keyring
) -> None:
    headers = stack.partner()
    assert (await stack.client.get("/v1/bookings", headers=headers)).status_code == 200
    stack.auth.api_keys.clear()

    async def refused() -> bool:
        return bool((await stack.client.get("/v1/bookings", headers=headers)).status_code == 401)

    assert await eventually(refused)
    with pytest.raises(ValueError, match="api_key_seconds"):
        Settings(**keyring.settings("gateway"), api_key_seconds=5.1)


async def test_a_partners_limit_is_the_one_of_its_contract(stack: Any) -> None:
    headers = stack.partner("rk_test_small0small0small", rate_limit_per_minute=3)
    answers = [await stack.client.get("/v1/bookings", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"partner";q=3;w=60'


async def test_services_are_told_how_many_bookings_the_contract_lets_a_key_keep_unpaid(
    stack: Any, keyring: Any
) -> None:
    for key, agreed in (("rk_test_large0large0large", 40), ("rk_test_usual0usual0usual", None)):
        answer = await stack.client.get("/v1/bookings", headers=stack.partner(key, unpaid_bookings=agreed))
        [token] = [value for name, value in answer.json()["headers"] if name.lower() == "authorization"]
        principal = TokenVerifier(keyring.jwks, "booking").verify(token.removeprefix("Bearer "))
        assert principal.unpaid_bookings == agreed


async def test_a_key_does_what_its_scopes_say_and_nothing_that_is_for_people_only(stack: Any) -> None:
    reader = stack.partner("rk_test_reader00reader00re", scopes=["bookings:read"])
    assert (await stack.client.get("/v1/bookings", headers=reader)).status_code == 200
    for method, path in (("POST", "/v1/bookings"), ("GET", "/v1/me")):
        answer = await stack.client.request(method, path, headers=reader)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert (await stack.client.get("/v1/airports", headers=reader)).status_code == 200
