import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rihla.http import Breaker, ServiceClient, UpstreamUnavailable, problem_code
from rihla.testing import eventually
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


async def test_a_call_that_found_no_connection_goes_to_another_instance_whatever_it_does(keyring: Keyring) -> None:
    upstream = Upstream(httpx.ConnectError("gone"), 200)
    assert (await client(upstream, keyring).request("POST", "/x", json={})).status_code == 200
    assert [request.url.host for request in upstream.requests] == ["a", "b"]


async def test_a_call_asks_an_instance_it_has_not_tried_while_others_take_their_turns(keyring: Keyring) -> None:
    upstream = Upstream(httpx.ConnectError("gone"), 0.05, httpx.ConnectError("gone"), 200)
    caller = client(upstream, keyring)
    first = asyncio.create_task(caller.request("PUT", "/first", json={}, idempotent=True))
    assert await eventually(lambda: len(upstream.requests) == 1)
    await caller.request("GET", "/second")
    await first
    assert {request.url.host for request in upstream.requests if request.url.path == "/first"} == {"a", "b"}


async def test_a_refusal_is_an_answer(keyring: Keyring) -> None:
    answer = await client(Upstream(409), keyring).request("GET", "/x")
    assert (answer.status_code, problem_code(answer)) == (409, "a-code")


async def test_the_deadline_holds_over_all_tries(keyring: Keyring) -> None:
    upstream = Upstream(3600.0)
    started = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamUnavailable):
        await client(upstream, keyring, timeout=0.1).request("GET", "/x")
    assert asyncio.get_running_loop().time() - started < 600


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


@asynccontextmanager
async def _served(*outcomes: int) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server on the network that answers the given statuses in turn, compressed, then the last one for ever."""
    left, seen = list(outcomes), []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        body = await request.json() if request.can_read_body else None
        response = web.json_response(
            {"path": request.path_qs, "body": body}, status=left.pop(0) if len(left) > 1 else left[0]
        )
        response.enable_compression(force=web.ContentCoding.gzip)
        return response

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/"), seen


async def test_over_the_network_a_call_carries_path_question_body_and_token(keyring: Keyring) -> None:
    async with _served(201) as (url, seen):
        caller = ServiceClient(url, audience="flight", signer=keyring.signer("booking"))
        answer = await caller.request("PUT", "/a b/ü", json={"at": "12A"}, params={"q": "x&y", "n": 2}, idempotent=True)
        await caller.close()
    assert (answer.status_code, answer.is_success) == (201, True)
    assert answer.json() == {"path": "/a%20b/%C3%BC?q=x%26y&n=2", "body": {"at": "12A"}}
    assert seen[0].headers["authorization"].startswith("Bearer ")
    assert answer.headers["content-type"].startswith("application/json")
    assert "content-encoding" not in answer.headers


async def test_over_the_network_a_server_error_is_tried_again_and_a_redirect_is_an_answer(keyring: Keyring) -> None:
    async with _served(503, 302) as (url, seen):
        caller = ServiceClient(url, audience="flight", signer=keyring.signer("booking"))
        answer = await caller.request("POST", "/x", content=b"{}", idempotent=True)
        await caller.close()
    assert (answer.status_code, len(seen)) == (302, 2)


async def test_over_the_network_a_port_nobody_listens_on_is_an_outage(keyring: Keyring) -> None:
    async with _served(200) as (url, _):
        pass
    caller = ServiceClient(url, audience="flight", signer=keyring.signer("booking"))
    with pytest.raises(UpstreamUnavailable):
        await caller.request("GET", "/x")
    await caller.close()
