"""The gateway's price: the same requests sent to a service directly, through the gateway, and through nginx.

`python bench/proxying.py [--seconds 5] [--connections 32]`; needs redis-server or REDIS_URL. nginx is installed when it
is missing and this account may; nothing but this bench uses it. The gateway runs as in production: verification, limits
and access log on. Two services are asked, with tokens of many people: one that answers 1 KB of ready bytes ("bare") and
a FastAPI operation with a response model ("fastapi"). Besides requests a second, which depend on what else the machine
does, it prints the gateway's own CPU time a request.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import uvloop

from rihla_local.packages import CannotInstall, install

BARE_BODY = json.dumps({"items": ["x" * 990]}).encode()
ISSUER = "http://bench.test"
PEOPLE = 200
SESSIONS, NO_SLOWER = 100_000, 0.9
"""Live sessions of the last trial, and the share of the usual throughput that counts as no slower."""
CYCLE, PART = 60.0, 5.0
"""Seconds for which a crowd is measured: an internal token's life, so that each session's is renewed once whenever the
measuring begins. The slowest and quickest parts of so many seconds are said beside the mean."""
TARGET, TARGET_KEPT = 5_000, 0.65
HERE = Path(__file__).resolve()


# ---- the services behind


class BareProtocol(asyncio.Protocol):
    """As little as an HTTP service can be: it looks for the end of each head and answers ready bytes."""

    answer = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BARE_BODY) + BARE_BODY
    )
    document = b""
    jwks = b""

    def __init__(self) -> None:
        self._left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        data = self._left + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head, data = data[:end], data[end + 4 :]
            self._transport.write(self._of(head))
        self._left = data

    def _of(self, head: bytes) -> bytes:
        path = head.split(b" ", 2)[1]
        if path.startswith(b"/v1/"):
            return self.answer
        body = {b"/openapi.json": self.document, b"/.well-known/jwks.json": self.jwks}.get(
            path, b'{"items":[],"last_seq":0}'
        )
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def bare(port: int) -> None:
    """Serve ready bytes; also what the gateway asks of auth-service."""
    paths = {"/v1/bookings": {"get": {"operationId": "bare", "responses": {"200": {"description": "ok"}}}}}
    BareProtocol.document = json.dumps(
        {"openapi": "3.1.0", "info": {"title": "b", "version": "1"}, "paths": paths}
    ).encode()
    BareProtocol.jwks = os.environ["BENCH_JWKS"].encode()

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(BareProtocol, "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    uvloop.run(run())


def fastapi_service(port: int) -> None:
    """A FastAPI operation as services have them: internal token verified, response model, twenty items."""
    import uvicorn
    from fastapi import FastAPI, Request
    from pydantic import BaseModel

    from rihla.auth import TokenVerifier

    class Item(BaseModel):
        id: str
        origin: str
        destination: str
        free_seats: int

    class Items(BaseModel):
        items: list[Item]
        next_cursor: str | None

    app = FastAPI(title="bench")
    verifier = TokenVerifier(os.environ["BENCH_SERVICE_JWKS"], "payment")
    stored = Items(
        items=[Item(id=str(n), origin="DAC", destination="JED", free_seats=n) for n in range(20)], next_cursor=None
    )

    @app.get("/v1/payments", response_model=Items)
    async def read(request: Request) -> Items:
        verifier.verify(request.headers["authorization"].removeprefix("Bearer "))
        return stored

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


# ---- the load


class Connection(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(
        self, requests: list[bytes], first: int, until: float, latencies: list[float], most: int | None = None
    ) -> None:
        self._requests = requests
        self._next = first
        self._until = until
        self._left = most if most is not None else sys.maxsize
        self._latencies = latencies
        self._buffer = b""
        self._sent = 0.0
        self.failures = 0
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = buffer.lower().find(b"content-length: ", 0, end)
        length = int(buffer[at + 16 : buffer.find(b"\r", at)])
        if len(buffer) < end + 4 + length:
            return
        now = time.perf_counter()
        self._latencies.append(now - self._sent)
        if not buffer.startswith(b"HTTP/1.1 200"):
            self.failures += 1
        self._buffer = b""
        if now >= self._until or self._left <= 0:
            self._transport.close()
        else:
            self._ask()

    def _ask(self) -> None:
        self._left -= 1
        self._next = (self._next + 1) % len(self._requests)
        self._sent = time.perf_counter()
        self._transport.write(self._requests[self._next])


@dataclass(frozen=True)
class Load:
    """What one trial found; times in milliseconds. `parts`: requests a second in each whole part of a long trial."""

    per_second: float
    p50: float
    p95: float
    p99: float
    failures: int
    parts: tuple[float, ...] = ()


async def load(
    port: int, requests: list[bytes], connections: int, seconds: float = float("inf"), *, each: int | None = None
) -> Load:
    """Closed loop over `connections` for `seconds`, or until every connection sent `each` of them."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    started = time.perf_counter()
    made = []
    for number in range(connections):
        first = number * len(requests) // connections
        make = partial(Connection, requests, first, started + seconds, latencies, each)
        _, protocol = await loop.create_connection(make, "127.0.0.1", port)
        made.append(protocol)
    counts: list[int] = []
    counting = asyncio.create_task(count_parts(latencies, counts))
    await asyncio.gather(*(protocol.closed for protocol in made))
    counting.cancel()
    took = time.perf_counter() - started
    latencies.sort()
    median, most, slow = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    failures = sum(protocol.failures for protocol in made)
    parts = tuple((after - before) / PART for before, after in pairwise([0, *counts]))
    return Load(len(latencies) / took, median, most, slow, failures, parts)


async def count_parts(latencies: list[float], counts: list[int]) -> None:
    """Note how many were answered after each part, for ever."""
    while True:
        await asyncio.sleep(PART)
        counts.append(len(latencies))


# ---- putting it together


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that listens on `port`, stopped afterwards."""
    child = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if child.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {child.returncode}")
            time.sleep(0.05)
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=15)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def requests_of(path: str, tokens: list[str]) -> list[bytes]:
    """One request for each token."""
    return [
        f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\nUser-Agent: bench/1\r\n"
        f"Authorization: Bearer {token}\r\n\r\n".encode()
        for token in tokens
    ]


def nginx_configuration(folder: str, port: int, upstreams: dict[str, int]) -> str:
    """nginx as a plain reverse proxy of the same paths, one worker."""
    locations = "".join(
        f"location {path} {{ proxy_pass http://127.0.0.1:{target}; proxy_http_version 1.1;"
        " proxy_set_header Connection ''; }\n"
        for path, target in upstreams.items()
    )
    return (
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};\n"
        f"fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};\n"
        f"server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000;\n{locations} }} }}\n"
    )


def run(seconds: float, connections: int) -> dict[str, Any]:
    """Every trial; prints a table and returns the figures."""
    from rihla.auth import Principal, TokenSigner
    from rihla.kernel import new_id
    from rihla.testing.keyring import Keyring, new_key, public_part

    keyring, access_key = Keyring(), new_key("access-1")
    signer, now = TokenSigner(json.dumps(access_key)), int(time.time())
    claims = {"iss": ISSUER, "aud": "rihla", "roles": ["traveller"], "iat": now, "exp": now + 600}

    def make_token() -> str:
        return signer.sign({**claims, "sub": str(new_id()), "sid": str(new_id())}, token_type="at+jwt")

    tokens = [make_token() for _ in range(PEOPLE)]
    somebody = Principal(kind="person", issuer="gateway", subject=new_id(), session_id=new_id())
    internal = keyring.signer("gateway").internal_token("payment", somebody)
    ports = {name: free_port() for name in ("bare", "fastapi", "gateway", "redis", "nginx")}
    me = [sys.executable, str(HERE)]
    figures: dict[str, Any] = {"connections": connections, "seconds": seconds}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        redis_url = os.environ.get("REDIS_URL") or os.environ.get("TEST_REDIS_URL")
        if not redis_url:
            command = [
                "redis-server",
                "--port",
                str(ports["redis"]),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                folder,
            ]
            stack.enter_context(process(command, ports["redis"]))
            redis_url = f"redis://127.0.0.1:{ports['redis']}"
        jwks = json.dumps({"keys": [public_part(access_key)]})
        stack.enter_context(
            process([*me, "--role", "bare", "--port", str(ports["bare"])], ports["bare"], BENCH_JWKS=jwks)
        )
        fast = [*me, "--role", "fastapi", "--port", str(ports["fastapi"])]
        stack.enter_context(process(fast, ports["fastapi"], BENCH_SERVICE_JWKS=keyring.jwks))
        mine = {name.upper(): value for name, value in keyring.settings("gateway").items()}
        url = "http://127.0.0.1:{}".format
        environment = {
            **mine, "PUBLIC_URL": ISSUER, "REDIS_URL": redis_url, "NAMESPACE": f"bench{os.getpid()}",
            "AUTH_URL": url(ports["bare"]), "BOOKING_URL": url(ports["bare"]), "PAYMENT_URL": url(ports["fastapi"]),
            "LIMIT_READ_PER_USER": "100000000", "FLIGHT_URL": "", "NOTIFICATION_URL": "", "CHAT_URL": "",
        }  # fmt: skip
        command = [sys.executable, "-m", "gateway", "--port", str(ports["gateway"])]
        gateway = stack.enter_context(process(command, ports["gateway"], **environment))
        wait_ready(ports["gateway"])
        have_nginx = nginx_is_there()
        if have_nginx:
            Path(folder, "nginx.conf").write_text(
                nginx_configuration(
                    folder, ports["nginx"], {"/v1/bookings": ports["bare"], "/v1/payments": ports["fastapi"]}
                )
            )
            stack.enter_context(
                process(["/usr/sbin/nginx", "-c", f"{folder}/nginx.conf", "-p", folder], ports["nginx"])
            )
        for kind, path in (("bare", "/v1/bookings"), ("fastapi", "/v1/payments")):
            direct = requests_of(path, [internal])
            trials = [("direct", ports[kind], direct), ("gateway", ports["gateway"], requests_of(path, tokens))]
            trials += [("nginx", ports["nginx"], direct)] if have_nginx else []
            figures[kind] = {}
            for name, port, requests in trials:
                uvloop.run(load(port, requests, connections, 1.0))  # warm
                before = cpu_seconds(gateway.pid)
                found = uvloop.run(load(port, requests, connections, seconds))
                spent = cpu_seconds(gateway.pid) - before
                figures[kind][name] = found
                cpu = f"{spent / (found.per_second * seconds) * 1e6:6.0f} us CPU a request" if name == "gateway" else ""
                print(
                    f"{kind:8} {name:8} {found.per_second:9,.0f} req/s  p50 {found.p50:6.2f} ms"
                    f"  p99 {found.p99:7.2f} ms  {found.failures} failed  {cpu}"
                )
            kept = figures[kind]["gateway"].per_second / figures[kind]["direct"].per_second
            print(f"{kind:8} the gateway keeps {kept:.0%} of the direct throughput")
            one = [uvloop.run(load(port, requests, 1, min(2.0, seconds))) for _, port, requests in trials[:2]]
            print(f"{kind:8} added at one connection: p50 {one[1].p50 - one[0].p50:.2f} ms")
        figures["bare"]["sessions"] = many_sessions(ports["gateway"], gateway.pid, make_token, seconds, connections)
    return figures


def many_sessions(
    port: int, gateway: int, make_token: Callable[[], str], seconds: float, connections: int
) -> dict[str, float]:
    """Everybody of a crowd asks in turn, first once each and then for a whole cycle; before and after it the usual few
    are measured again, since a machine's pace changes within minutes. A short run has a smaller crowd and a shorter
    cycle."""
    earnest = seconds >= 5
    crowd, cycle = (SESSIONS, CYCLE) if earnest else (SESSIONS // 20, 2 * seconds)
    few = requests_of("/v1/bookings", [make_token() for _ in range(PEOPLE)])
    requests = requests_of("/v1/bookings", [make_token() for _ in range(crowd)])
    memory = memory_mb(gateway)
    uvloop.run(load(port, few, connections, 1.0))
    before = uvloop.run(load(port, few, connections, seconds)).per_second
    first = uvloop.run(load(port, requests, connections, each=-(-crowd // connections)))
    spent = cpu_seconds(gateway)
    found = uvloop.run(load(port, requests, connections, cycle))
    spent = cpu_seconds(gateway) - spent
    usual = (before + uvloop.run(load(port, few, connections, seconds)).per_second) / 2
    print(
        f"bare     sessions  {found.per_second:9,.0f} req/s  p50 {found.p50:6.2f} ms  p99 {found.p99:7.2f} ms"
        f"  {found.failures} failed  {spent / (found.per_second * cycle) * 1e6:6.0f} us CPU a request"
        f"  ({crowd:,} live sessions, each in its turn, for {cycle:.0f} s)"
    )
    if found.parts:
        print(
            f"bare     sessions: from {min(found.parts):,.0f} to {max(found.parts):,.0f} req/s in {PART:.0f} seconds,"
            " as internal tokens happen to be renewed"
        )
    print(
        f"bare     sessions: first request of each at {first.per_second:,.0f} req/s;"
        f" memory {memory:,.0f} -> {memory_mb(gateway):,.0f} MB"
    )
    print(f"bare     with many sessions the gateway keeps {found.per_second / usual:.0%} of its {usual:,.0f} req/s")
    return {"per_second": found.per_second, "usual": usual}


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def nginx_is_there() -> bool:
    """Whether nginx can be measured; it is installed where that is possible."""
    if shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        try:
            install(["nginx-light"], "for the comparison")
        except CannotInstall as problem:
            print(f"nginx is not measured: {problem}")
            return False
    return True


def wait_ready(port: int) -> None:
    """Until the gateway has its keys."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the gateway did not become ready")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--role", choices=("bare", "fastapi"))
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.role == "bare":
        bare(chosen.port)
    elif chosen.role == "fastapi":
        fastapi_service(chosen.port)
    else:
        figures = run(chosen.seconds, chosen.connections)
        kept = figures["fastapi"]["gateway"].per_second / figures["fastapi"]["direct"].per_second
        usual, crowd = figures["bare"]["gateway"].per_second, figures["bare"]["sessions"]
        as_quick = crowd["per_second"] >= NO_SLOWER * crowd["usual"]
        reached = usual >= TARGET and kept >= TARGET_KEPT and as_quick
        print(f"targets {TARGET:,}/s to the bare service, {TARGET_KEPT:.0%} of direct kept, {NO_SLOWER:.0%} of it with")
        print(f"{SESSIONS:,} live sessions: ", end="")
        print("reached" if reached else "NOT reached")
        raise SystemExit(0 if reached else 1)


if __name__ == "__main__":
    main()
