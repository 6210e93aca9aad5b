"""A PostgreSQL whose commits are durable, for benches of one service."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rihla_local.servers.postgres import DURABLE, Postgres


@contextmanager
def durable_postgres() -> Iterator[str]:
    """The address BENCH_DATABASE_URL gives, or that of a private instance that flushes every commit."""
    given = os.environ.get("BENCH_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="rihla-bench-") as folder:
        os.chmod(folder, 0o755)
        root, tuned = Path(folder), {**DURABLE, "shared_buffers": "256MB"}
        server = Postgres(root / "pg", root / "fallback", free_port(), "bench", root / "log", tuned)
        unit = server.unit()
        pid = unit.start()
        try:
            while not unit.is_ready():
                time.sleep(0.05)
            yield server.url
        finally:
            os.kill(pid, signal.SIGINT)
            os.waitpid(pid, 0)


def free_port() -> int:
    """A free port of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
