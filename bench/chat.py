"""Open sockets and messages a second on one chat-service worker, as in production, in a process of its own.

`python bench/chat.py [--sockets 2000] [--rate 200] [--seconds 10] [--quick]`: so many travellers open a socket, some of
them write, and the desk's socket says when each message reached the other side. Prints the worker's memory and CPU
time a message; latency also depends on what else the machine does.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from rihla.kernel import new_id
from rihla.testing.databases import fresh_database
from rihla.testing.keyring import Keyring
from rihla.testing.namespaces import remove_namespace
from rihla.testing.servers import Servers, servers

HERE = Path(__file__).resolve()
SERVICE = HERE.parents[1] / "chat-service"
TARGET_SOCKETS, TARGET_MEGABYTES, TARGET_RATE, TARGET_P95_MS = 2_000, 400, 200, 150.0
_OPENING_AT_ONCE = 32


def serve(port: int) -> None:
    """The worker process."""
    import uvicorn

    from chat_service.main import create_app, server_config
    from chat_service.settings import Settings

    settings = Settings()
    uvicorn.Server(server_config(create_app(settings), settings, host="127.0.0.1", port=port, loop="uvloop")).run()


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[tuple[int, str]]:
    """A running worker: its process id and base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(HERE), "--serve", str(port)], env={**os.environ, **environment})
    try:
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Desk:
    """The socket that sees every message."""

    def __init__(self) -> None:
        self.sent_at: dict[str, float] = {}
        self.latencies: list[float] = []

    async def read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Until the socket closes."""
        async for message in ws:
            frame = json.loads(message.data)
            if frame["type"] == "message":
                sent = self.sent_at.pop(frame["message"]["client_id"], None)
                if sent is not None:
                    self.latencies.append(time.perf_counter() - sent)


async def _drain(ws: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in ws:
        pass


async def _ready(http: aiohttp.ClientSession, url: str) -> None:
    for _ in range(300):
        try:
            async with http.get(f"{url}/health/ready") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("chat-service did not become ready")


async def measure(url: str, pid: int, keyring: Keyring, arguments: argparse.Namespace) -> dict[str, Any]:
    """Open everything, send for a while, and count."""
    at_once = asyncio.Semaphore(_OPENING_AT_ONCE)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        await _ready(http, url)
        empty = _megabytes(pid)

        async def connect(query: str = "", *roles: str) -> aiohttp.ClientWebSocketResponse:
            async with at_once:
                token = keyring.token(audience="chat", user_id=new_id(), roles=roles or ("traveller",))
                headers = {"authorization": f"Bearer {token}"}
                return await http.ws_connect(f"{url}/v1/chat/ws{query}", headers=headers, max_msg_size=0)

        started = time.perf_counter()
        sockets = await asyncio.gather(*(connect() for _ in range(arguments.sockets)))
        opening = time.perf_counter() - started
        desk = Desk()
        desk_socket = await connect("?view=support", "support")
        readers = [asyncio.create_task(_drain(ws)) for ws in sockets]
        readers.append(asyncio.create_task(desk.read(desk_socket)))
        await asyncio.sleep(1)
        cpu = _cpu_seconds(pid)
        sent = await _send(sockets, desk, arguments.rate, arguments.seconds)
        await _settle(desk)
        found = {
            "sockets": sum(not ws.closed for ws in sockets) + 1,
            "opening_seconds": round(opening, 1),
            "megabytes_empty": empty,
            "megabytes": _megabytes(pid),
            "sent": sent,
            "arrived": len(desk.latencies),
            "cpu_ms_a_message": round(1000 * (_cpu_seconds(pid) - cpu) / max(sent, 1), 2),
        }
        for task in readers:
            task.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    ordered = sorted(desk.latencies)
    for share in (50, 95, 99):
        found[f"p{share}_ms"] = round(1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)], 1)
    return found


async def _send(sockets: list[aiohttp.ClientWebSocketResponse], desk: Desk, rate: int, seconds: int) -> int:
    loop, count = asyncio.get_running_loop(), rate * seconds
    begun = loop.time()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
        client_id = str(number)
        desk.sent_at[client_id] = time.perf_counter()
        frame = {"type": "send", "client_id": client_id, "text": f"Where is my bag? {number}"}
        await random.choice(sockets).send_str(json.dumps(frame))
    return count


async def _settle(desk: Desk) -> None:
    for _ in range(100):
        if not desk.sent_at:
            return
        await asyncio.sleep(0.1)


def _megabytes(pid: int) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def run(found: Servers, arguments: argparse.Namespace) -> dict[str, Any]:
    """One measurement with a database and a namespace of its own."""
    keyring, namespace = Keyring(), f"b{new_id().hex[-12:]}"
    try:
        async with fresh_database(found.database_url, SERVICE) as database_url:
            environment = {
                "DATABASE_URL": database_url,
                "REDIS_URL": found.redis_url,
                "AMQP_URL": found.amqp_url,
                "NAMESPACE": namespace,
                "LOG_LEVEL": "WARNING",
                **{name.upper(): value for name, value in keyring.settings("chat").items()},
            }
            with worker(environment) as (pid, url):
                return await measure(url, pid, keyring, arguments)
    finally:
        await remove_namespace(namespace, found.amqp_url, found.redis_url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=TARGET_SOCKETS)
    parser.add_argument("--rate", type=int, default=TARGET_RATE)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="200 sockets and two seconds")
    parser.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    if arguments.quick:
        arguments.sockets, arguments.seconds = 200, 2
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with servers() as found:
        result = uvloop.run(run(found, arguments))
    for name, value in result.items():
        print(f"{name:20} {value:>10}")
    met = result["arrived"] == result["sent"] and result["p95_ms"] < TARGET_P95_MS
    if (arguments.sockets, arguments.rate) == (TARGET_SOCKETS, TARGET_RATE):
        met = met and result["sockets"] > TARGET_SOCKETS and result["megabytes"] < TARGET_MEGABYTES
        print(f"target: {TARGET_SOCKETS} sockets under {TARGET_MEGABYTES} MB, p95 under {TARGET_P95_MS:.0f} ms: {met}")
    print("FIGURES " + json.dumps(result))


if __name__ == "__main__":
    main()
