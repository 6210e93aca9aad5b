"""Services that are gone, slow, full, or several."""

import asyncio
from typing import Any

import httpx
import pytest

from gateway.problems import Refused
from gateway.routes import Importance
from gateway.settings import Settings
from gateway.upstreams.pool import Upstream, places
from rihla.testing import eventually
from rihla.testing.keyring import Keyring


async def test_a_service_that_is_gone_is_503_and_works_again_when_it_is_back(stack: Any) -> None:
    server = stack.servers["flight"][0]
    assert (await stack.client.get("/v1/flights")).status_code == 200
    await server.stop()
    gone = await stack.client.get("/v1/flights")
    assert (gone.status_code, gone.json()["code"]) == (503, "upstream-unavailable")
    assert int(gone.headers["retry-after"]) >= 1
    assert (await stack.client.get("/v1/bookings", headers=stack.sign_in().headers)).status_code == 200
    await server.start()
    assert await eventually(lambda: _is_ok(stack.client))


async def _is_ok(client: httpx.AsyncClient) -> bool:
    return (await client.get("/v1/flights")).status_code == 200


async def test_an_open_breaker_answers_without_trying(start: Any) -> None:
    stack = await start(breaker_failures=2, breaker_open_seconds=3600, probe_seconds=3600)
    await stack.servers["flight"][0].stop()
    for _ in range(3):
        assert (await stack.client.get("/v1/flights")).status_code == 503
    await stack.servers["flight"][0].start()
    assert (await stack.client.get("/v1/flights")).status_code == 503, "it is there again, and nobody tried"
    services = (await stack.client.get("/health/services")).json()
    assert next(line for line in services["services"] if line["name"] == "flight")["status"] == "down"


async def test_a_dead_instance_is_not_noticed_by_readers(start: Any) -> None:
    stack = await start(instances={"flight": 2})
    await stack.servers["flight"][0].stop()
    answers = [await stack.client.get("/v1/flights") for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}


async def test_dead_instances_are_not_noticed_by_writers(start: Any) -> None:
    stack = await start(instances={"booking": 3})
    person = stack.sign_in()
    for _ in range(6):  # connections to each are open when two of them die
        assert (await stack.client.post("/v1/bookings", json={}, headers=person.headers)).status_code == 200
    for server in stack.servers["booking"][:2]:
        await server.stop()
    answers = [await stack.client.post("/v1/bookings", json={}, headers=person.headers) for _ in range(12)]
    assert {answer.status_code for answer in answers} == {200}


async def test_both_instances_are_used(start: Any) -> None:
    stack = await start(instances={"booking": 2})
    person = stack.sign_in()
    waiting = [asyncio.create_task(stack.client.get("/v1/bookings/1/wait", headers=person.headers)) for _ in range(6)]
    door = stack.gateway._door
    instances = door._c.upstreams.by_name["booking"].instances
    await eventually(lambda: [instance.in_flight for instance in instances] == [3, 3])
    stack.services["booking"].release.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
    await eventually(lambda: [instance.in_flight for instance in instances] == [0, 0])


async def test_a_write_is_not_repeated_when_the_connection_breaks(start: Any) -> None:
    received: list[bytes] = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        stack = await start(without=("booking",), booking_url=f"http://127.0.0.1:{port},http://127.0.0.1:{port}/")
        received.clear()
        person = stack.sign_in()
        write = await stack.client.post("/v1/bookings", json={}, headers=person.headers)
        writes = [line for line in received if b"/v1/" in line]
        read = await stack.client.get("/v1/bookings", headers=person.headers)
        reads = [line for line in received if b"GET /v1/" in line]
    assert (write.status_code, read.status_code) == (503, 503)
    assert writes == [b"POST /v1/bookings HTTP/1.1\r\n"]
    assert len(reads) >= 2


async def test_a_service_that_does_not_answer_is_504(start: Any) -> None:
    from dataclasses import replace

    from gateway import main
    from gateway.routes import ROUTES

    assert main.ROUTES is ROUTES
    short = tuple(replace(row, timeout=0.3) if row.prefix == "/v1/bookings" else row for row in ROUTES)
    stack = await start(routes=short)
    answer = await stack.client.get("/v1/bookings/1/wait", headers=stack.sign_in().headers)
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream-timeout")


async def test_an_answer_that_is_no_http_is_502(start: Any) -> None:
    async def gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"hello?\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(gibberish, "127.0.0.1", 0)
    async with server:
        stack = await start(without=("flight",), flight_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        answer = await stack.client.get("/v1/flights")
    assert (answer.status_code, answer.json()["code"]) == (502, "bad-upstream-answer")


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_413(stack: Any, declared: bool) -> None:
    person = stack.sign_in()

    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * 10_000

    content = b"x" * 400_000 if declared else pieces()
    answer = await stack.client.post("/v1/bookings", content=content, headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload-too-large")
    assert not stack.services["booking"].seen


async def test_a_body_that_comes_too_slowly_is_408_and_reaches_no_service(start: Any, raw: Any) -> None:
    stack = await start(body_timeout=0.3)
    credential = f"Authorization: Bearer {stack.sign_in().token}"
    head = f"POST /v1/bookings HTTP/1.1\r\nHost: x\r\n{credential}\r\nContent-Length: 10\r\n\r\nab"
    answer = await raw(stack.url, head.encode())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert not stack.services["booking"].seen


async def test_a_head_that_comes_too_slowly_is_cut_off(start: Any, raw: Any) -> None:
    stack = await start(header_timeout=0.3)
    assert (await raw(stack.url, b"GET /v1/flights HTTP/1.1\r\nHost:")).startswith(b"HTTP/1.1 408 ")
    assert await raw(stack.url, b"") == b""
    assert await raw(stack.url, b"\r\n") == b""


async def test_one_address_cannot_hold_every_connection(start: Any, raw: Any) -> None:
    stack = await start(max_connections_per_address=5)
    port = int(stack.url.rsplit(":", 1)[1])
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
    assert b" 503 " in await raw(stack.url, b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    for _, writer in idle:
        writer.close()

    async def free_again() -> bool:
        return b" 200 " in await raw(stack.url, b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert await eventually(free_again)


async def test_search_is_turned_away_before_booking(start: Any) -> None:
    stack = await start(max_in_flight=4)
    person = stack.sign_in()
    waiting = [asyncio.create_task(stack.client.get("/v1/bookings/1/wait", headers=person.headers)) for _ in range(3)]
    await eventually(lambda: stack.gateway._door._in_flight == 3)
    search = await stack.client.get("/v1/flights")
    assert (search.status_code, search.json()["code"]) == (503, "overloaded")
    assert "retry-after" in search.headers
    assert (await stack.client.get("/v1/bookings", headers=person.headers)).status_code == 200
    stack.services["booking"].release.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


async def test_bookings_wait_in_line_for_a_full_service(start: Any) -> None:
    stack = await start(max_in_flight_per_instance=2, money_waits_seconds=300)
    person, booking = stack.sign_in(), stack.services["booking"]
    (instance,) = stack.gateway._door._c.upstreams.by_name["booking"].instances
    waiting = [asyncio.create_task(stack.client.get("/v1/bookings/1/wait", headers=person.headers)) for _ in range(6)]
    await eventually(lambda: instance.in_flight == 2 and stack.gateway._door._in_flight == 6)
    search = [await stack.client.get("/v1/flights") for _ in range(3)]
    assert {one.status_code for one in search} == {200}, "another service has places of its own"
    waiting[3].cancel()  # a client that goes away leaves its turn to the next
    booking.release.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [getattr(one, "status_code", None) for one in answers] == [200, 200, 200, None, 200, 200]
    await eventually(lambda: instance.in_flight == 0)


async def test_the_line_s_patience_ends_in_a_refusal_that_says_when_to_come_again(start: Any) -> None:
    stack = await start(max_in_flight_per_instance=1, money_waits_seconds=0.2)
    person = stack.sign_in()
    first = asyncio.create_task(stack.client.get("/v1/bookings/1/wait", headers=person.headers))
    (instance,) = stack.gateway._door._c.upstreams.by_name["booking"].instances
    await eventually(lambda: instance.in_flight == 1)
    refused = await stack.client.get("/v1/bookings", headers=person.headers)
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert "retry-after" in refused.headers
    stack.services["booking"].release.set()
    assert (await first).status_code == 200


def test_each_importance_has_its_share_and_everybody_at_least_one_place() -> None:
    assert places(100) == {Importance.SEARCH: 60, Importance.NORMAL: 85, Importance.MONEY: 100}
    assert set(places(1).values()) == {1}


def test_a_well_instance_is_preferred_and_an_ill_one_is_better_than_none(keyring: Keyring) -> None:
    settings = Settings(**keyring.settings("gateway"), breaker_failures=1, breaker_open_seconds=60)
    upstream = Upstream("flight", ("http://a", "http://b"), settings)
    first, second = upstream.instances
    first.well = False
    assert upstream.choose(Importance.SEARCH) is second
    second.breaker.failed()
    assert upstream.choose(Importance.SEARCH) is first
    first.breaker.failed()
    with pytest.raises(Refused):
        upstream.choose(Importance.MONEY)
