"""A private Redis on a loopback port."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rihla_local import spawning
from rihla_local.packages import redis_binary
from rihla_local.supervisor import Unit


@dataclass(frozen=True)
class Redis:
    """One private instance. `durable` keeps an append-only file; tests do without."""

    folder: Path
    port: int
    password: str
    log: Path
    durable: bool

    @property
    def url(self) -> str:
        """Address of database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def unit(self, keep: Sequence[int] = ()) -> Unit:
        """Write the configuration and describe the process."""
        binary = redis_binary()
        if binary is None:
            raise RuntimeError("redis-server is not installed")
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "redis.conf"
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f'dir "{self.folder}"',
            f"requirepass {self.password}",
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
            "daemonize no",
            'logfile ""',
        ]
        with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")

        def start() -> int:
            argv = [str(binary), str(configuration)]
            return spawning.command(
                argv, log=self.log, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, directory=self.folder, keep=keep
            )

        return Unit(
            name="redis", start=start, is_ready=self._answers, stage=0, log=self.log, stop_seconds=5.0, port=self.port
        )

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = connection.recv(256)
                    if not part:
                        return False
                    answer += part
                return answer.endswith(b"+PONG\r\n")
        except OSError:
            return False
