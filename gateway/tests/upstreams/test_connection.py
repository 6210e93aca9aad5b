"""The small client of the proxied path against a service that writes what it is told, byte for byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.upstreams.connection import BrokenAnswer, Connection, Unreached
from gateway.upstreams.connections import Connections, request_bytes

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
LARGE = 3_000_000


class Service:
    """Answers each request of a connection with the next of `answers`, and closes after the last."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for answer in self.answers:
            if not await reader.readuntil(b"\r\n\r\n"):
                break
            writer.write(answer)
            await writer.drain()
        writer.close()


@pytest.fixture
def serving() -> Any:
    @asynccontextmanager
    async def start(*answers: bytes) -> AsyncIterator[tuple[Service, Connections]]:
        service = Service(*answers)
        server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
        service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        connections = Connections(keep_seconds=30, connect_seconds=30)
        try:
            yield service, connections
        finally:
            connections.close()
            server.close()
            await server.wait_closed()

    return start


async def _asked(service: Service, connections: Connections, seconds: float = 20) -> Connection:
    connection = await connections.take(service.url)
    await connection.ask(request_bytes("GET", "/v1/x", b"service", [("Accept", "*/*")], None), seconds)
    return connection


async def test_one_connection_carries_one_request_after_the_other(serving: Any) -> None:
    async with serving(OK, OK, OK) as (service, connections):
        for _ in range(3):
            answer = await _asked(service, connections)
            assert (answer.status, answer.content_length, await answer.read()) == (200, 3, b"yes")
            answer.release()
        assert service.connections == 1


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye\r\n1\r\ns\r\n0\r\n\r\n", b"yes"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"yes"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE + b"x" * LARGE, b"x" * LARGE),
    ],
)
async def test_every_way_to_end_a_body_is_read(serving: Any, answer: bytes, body: bytes) -> None:
    async with serving(answer) as (service, connections):
        asked = await _asked(service, connections)
        assert b"".join([piece async for piece in asked.iter_any()]) == body
        assert b"link" not in {name.lower() for name, _ in asked.raw_headers}
        asked.release()


async def test_what_is_left_half_read_is_not_used_again(serving: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE
    async with serving(head + b"x" * LARGE, OK) as (service, connections):
        for _ in range(2):
            (await _asked(service, connections)).release()
        assert service.connections == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", Unreached),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", BrokenAnswer),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", BrokenAnswer),
        (b"this is no HTTP\r\n\r\n", BrokenAnswer),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n", BrokenAnswer),
    ],
)
async def test_what_breaks_off_or_is_no_http_is_told_apart(serving: Any, answer: bytes, error: type[Exception]) -> None:
    async with serving(answer) as (service, connections):
        with pytest.raises(error):
            await (await _asked(service, connections)).read()


async def test_a_service_that_says_nothing_costs_no_more_than_its_time(serving: Any) -> None:
    waiting = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await waiting.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        service = Service()
        service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(TimeoutError):
            await _asked(service, Connections(30, 5), seconds=0.05)
        waiting.set()


def test_a_header_cannot_begin_another_line() -> None:
    for value in ("a\r\nX-Internal: b", "a\nb", "a\rb"):
        with pytest.raises(ValueError, match="line of its own"):
            request_bytes("GET", "/", b"service", [("X-Name", value)], None)
    sent = request_bytes("POST", "/a?b=c", b"service:1", [("X-Name", "v"), ("Content-Length", "9")], b"body")
    assert sent == b"POST /a?b=c HTTP/1.1\r\nX-Name: v\r\nHost: service:1\r\nContent-Length: 4\r\n\r\nbody"
