"""Header hygiene in both directions."""

from typing import Any

import pytest

from gateway.door.headers import Arrived, RepeatedHeader, back_to_client, traceparent

FORGED = {
    "X-Internal-User": "admin",
    "X-Client-Ip": "1.2.3.4",
    "X-Client-Agent": "me",
    "X-Forwarded-For": "9.9.9.9",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=9.9.9.9",
    "X-Real-Ip": "9.9.9.9",
    "X-Original-URL": "/internal",
    "X-HTTP-Method-Override": "DELETE",
    "X_Client_Ip": "1.2.3.4",
    "TE": "trailers",
    "Proxy-Authorization": "Basic eA==",
}


async def test_internal_headers_that_a_client_forges_do_not_arrive(stack: Any) -> None:
    answer = await stack.client.get("/v1/flights", headers={**FORGED, "X-Partner-Note": "kept"})
    arrived = dict(answer.json()["headers"])
    assert not {name.lower() for name in FORGED} - {"x-client-ip", "x-client-agent"} & arrived.keys()
    assert arrived["x-client-ip"] == "127.0.0.1"
    assert arrived["x-client-agent"].startswith("python-httpx")
    assert arrived["x-partner-note"] == "kept"


async def test_a_clients_own_token_or_key_never_reaches_a_service(stack: Any) -> None:
    person = stack.sign_in()
    seen = (await stack.client.get("/v1/bookings", headers=person.headers)).json()
    values = [value for name, value in seen["headers"] if name == "authorization"]
    assert len(values) == 1
    assert person.token not in values[0]
    keyed = (await stack.client.get("/v1/bookings", headers=stack.partner())).json()
    assert not [name for name, _ in keyed["headers"] if name == "x-api-key"]


async def test_headers_named_by_connection_stay_on_this_hop(stack: Any) -> None:
    headers = {"Connection": "keep-alive, X-Secret-Hop", "X-Secret-Hop": "1"}
    seen = (await stack.client.get("/v1/flights", headers=headers)).json()
    assert not [name for name, _ in seen["headers"] if name == "x-secret-hop"]


async def test_a_service_does_not_show_what_it_runs_on(stack: Any) -> None:
    answer = await stack.client.get("/v1/flights")
    assert "server" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"


async def test_a_well_formed_request_id_is_kept_and_another_replaced(stack: Any) -> None:
    kept = await stack.client.get("/v1/flights", headers={"X-Request-Id": "order-42.abc"})
    assert kept.headers["x-request-id"] == "order-42.abc"
    assert ["x-request-id", "order-42.abc"] in kept.json()["headers"]
    replaced = await stack.client.get("/v1/flights", headers={"X-Request-Id": "a b\tc"})
    assert len(replaced.headers["x-request-id"]) == 32


async def test_the_trace_context_is_passed_on_or_begun(stack: Any) -> None:
    sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen = (await stack.client.get("/v1/flights", headers={"traceparent": sent})).json()
    assert ["traceparent", sent] in seen["headers"]
    begun = (await stack.client.get("/v1/flights", headers={"traceparent": "nonsense"})).json()
    value = dict(begun["headers"])["traceparent"]
    assert value == traceparent(value.encode())


async def test_headers_that_are_too_large_are_431(stack: Any) -> None:
    answer = await stack.client.get("/v1/flights", headers={"X-Big": "x" * 20_000})
    assert (answer.status_code, answer.json()["code"]) == (431, "headers-too-large")


async def test_a_head_without_end_is_cut_off_with_431(stack: Any, raw: Any) -> None:
    answer = await raw(stack.url, b"GET /v1/flights HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"a" * 60_000)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"headers-too-large" in answer


SMUGGLED = [
    b"POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/bookings HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    b"POST /v1/bookings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
    b"GET /v1/flights HTTP/1.1\r\nHost: x\r\nX-A: b\n\tfolded: yes\r\nbad header\r\n\r\n",
    b"GET /v1/flights HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n"
    b"Connection: close\r\n\r\n",
    b"CONNECT internal:80 HTTP/1.1\r\nHost: x\r\n\r\n",
]


async def test_requests_that_two_readers_could_read_differently_are_refused(stack: Any, raw: Any) -> None:
    for smuggled in SMUGGLED:
        answer = await raw(stack.url, smuggled)
        assert answer.startswith(b"HTTP/1.1 400 "), smuggled
        assert b"application/problem+json" in answer
    assert not stack.services["booking"].seen


def test_a_header_that_may_come_once_is_refused_twice() -> None:
    with pytest.raises(RepeatedHeader):
        Arrived([(b"x-api-key", b"a"), (b"x-api-key", b"b")])


def test_answers_lose_what_is_not_the_clients_business() -> None:
    kept = back_to_client(
        [(b"Server", b"x"), (b"X-Internal-Node", b"3"), (b"Content-Type", b"a/b"), (b"Connection", b"close")]
    )
    assert kept == [(b"content-type", b"a/b")]
