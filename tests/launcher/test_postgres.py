"""The local stack's PostgreSQL under the launcher."""

import asyncio
import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from rihla_local.servers.private import private_servers


@pytest.mark.timeout(900)
async def test_a_killed_server_comes_back_though_one_of_its_backends_has_not_noticed() -> None:
    with private_servers() as servers:
        connection = await asyncpg.connect(servers.database_url)
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        server = _parent(backend)
        os.kill(backend, signal.SIGSTOP)  # it keeps the shared memory, and would keep it for ever
        os.kill(server, signal.SIGKILL)
        again = await _connected(servers.database_url)
        assert await again.fetchval("SELECT pg_backend_pid()") != backend
        await again.close()
        connection.terminate()


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def _connected(url: str) -> asyncpg.Connection:
    deadline = time.monotonic() + 240
    while True:
        try:
            return await asyncpg.connect(url, timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            assert time.monotonic() < deadline, "the server did not come back"
            await asyncio.sleep(0.1)
