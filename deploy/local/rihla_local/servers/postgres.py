"""A private PostgreSQL: its own data directory, loopback only, no Unix socket (so no path can be too long)."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rihla_local import spawning
from rihla_local.packages import postgres_bin
from rihla_local.servers.account import Account, choose_account
from rihla_local.servers.orphans import end_orphans
from rihla_local.supervisor import Unit

SUPERUSER = "postgres"
DURABLE = {"max_connections": "400", "shared_buffers": "64MB"}
FORGETFUL = {
    "max_connections": "400",
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "on",
}
"""For tests: nothing survives a power cut, and nothing needs to."""


@dataclass(frozen=True)
class Postgres:
    """One private instance; `settings` are server parameters."""

    folder: Path
    fallback: Path
    port: int
    password: str
    log: Path
    settings: dict[str, str]

    @property
    def url(self) -> str:
        """The superuser's address of the database `postgres`."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    def unit(self, keep: Sequence[int] = ()) -> Unit:
        """Create the data directory where there is none yet, and describe the process."""
        account = choose_account(self.folder, self.fallback)
        binaries = _binaries()
        if not (account.data / "PG_VERSION").exists():
            self._create(account, binaries)
        parameters = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.settings,
        }
        argv = [*account.prefix, str(binaries / "postgres"), "-D", str(account.data), "-p", str(self.port)]
        argv += [part for name, value in parameters.items() for part in ("-c", f"{name}={value}")]

        def start() -> int:
            end_orphans(account.data.resolve())
            return spawning.command(
                argv, log=self.log, env=_environment(), directory=Path("/"), keep=keep, death=signal.SIGINT
            )

        return Unit(
            name="postgres",
            start=start,
            is_ready=lambda: answers(self.port),
            stage=0,
            log=self.log,
            stop_signal=signal.SIGINT,
            stop_seconds=10.0,
            port=self.port,
        )

    def _create(self, account: Account, binaries: Path) -> None:
        """initdb; passwords are checked in clear over loopback (`password`), stored as SCRAM.

        SCRAM on the wire costs the asyncpg client milliseconds of Python a connection and protects nothing here.
        """
        subprocess.run(["find", str(account.data), "-mindepth", "1", "-delete"], check=True)
        with tempfile.NamedTemporaryFile("w", suffix=".pw") as file:
            file.write(self.password + "\n")
            file.flush()
            os.chmod(file.name, 0o644 if account.prefix else 0o600)
            done = subprocess.run(
                [
                    *account.prefix,
                    str(binaries / "initdb"),
                    f"--pgdata={account.data}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={file.name}",
                    "--auth=password",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync",
                ],
                env=_environment(),
                cwd="/",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stdout.decode(errors='replace')[-2000:]}")


def answers(port: int) -> bool:
    """Whether the server has finished starting: it asks for a password instead of saying "starting up"."""
    parameters = b"user\0" + SUPERUSER.encode() + b"\0database\0postgres\0\0"
    hello = struct.pack("!ii", len(parameters) + 8, 196608) + parameters
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(hello)
            return connection.recv(1) == b"R"
    except OSError:
        return False


def _binaries() -> Path:
    found = postgres_bin()
    if found is None:
        raise RuntimeError("PostgreSQL 15 or newer is not installed")
    return found


def _environment() -> dict[str, str]:
    """A clean one: PG* variables of the person's shell must not reach the server."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/"}
