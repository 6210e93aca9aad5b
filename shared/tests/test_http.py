import asyncio
from typing import Any

import httpx
import pytest

from rihla.http import Breaker, ServiceClient, UpstreamUnavailable, problem_code
from rihla.testing.keyring import Keyring


class Upstream(httpx.AsyncBaseTransport):
    """Answers the given outcomes in turn, then the last one for ever."""

    def __init__(self, *outcomes: int | Exception | float) -> None:
        self.outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, float):
            await asyncio.sleep(outcome)
            return httpx.Response(200)
        return httpx.Response(outcome, json={"code": "a-code"})


def client(upstream: Upstream, keyring: Keyring, **options: Any) -> ServiceClient:
    return ServiceClient(
        "http://a,http://b", audience="flight", signer=keyring.signer("booking"), transport=upstream, **options
    )


async def test_an_idempotent_call_is_tried_again_at_the_next_instance(keyring: Keyring) -> None:
    upstream = Upstream(httpx.ConnectError("gone"), 503, 200)
    answer = await client(upstream, keyring).request("PUT", "/x", json={}, idempotent=True)
    assert answer.status_code == 200
    assert [request.url.host for request in upstream.requests] == ["a", "b", "a"]


async def test_a_call_that_may_have_acted_is_not_repeated(keyring: Keyring) -> None:
    upstream = Upstream(httpx.ReadTimeout("lost"), 200)
    with pytest.raises(UpstreamUnavailable):
        await client(upstream, keyring).request("POST", "/x", json={})
    assert len(upstream.requests) == 1


async def test_a_refusal_is_an_answer(keyring: Keyring) -> None:
    answer = await client(Upstream(409), keyring).request("GET", "/x")
    assert (answer.status_code, problem_code(answer)) == (409, "a-code")


async def test_the_deadline_holds_over_all_tries(keyring: Keyring) -> None:
    upstream = Upstream(5.0)
    started = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamUnavailable):
        await client(upstream, keyring, timeout=0.1).request("GET", "/x")
    assert asyncio.get_running_loop().time() - started < 2


async def test_a_call_carries_the_callers_token(keyring: Keyring) -> None:
    upstream = Upstream(200)
    await client(upstream, keyring).request("GET", "/x")
    assert upstream.requests[0].headers["authorization"].startswith("Bearer ey")


async def test_after_several_failures_calls_fail_at_once_until_one_tries_again() -> None:
    now = [0.0]
    breaker = Breaker(failures=3, open_for=2.0, time_source=lambda: now[0])
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()
    now[0] = 2.1
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()
    assert breaker.allows()


async def test_an_open_breaker_spares_the_other_service(keyring: Keyring) -> None:
    upstream = Upstream(500)
    caller = client(upstream, keyring)
    for _ in range(8):
        with pytest.raises(UpstreamUnavailable):
            await caller.request("POST", "/x")
    assert len(upstream.requests) == 5
