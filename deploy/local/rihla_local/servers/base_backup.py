"""A whole PostgreSQL instance in two compressed files, and back: every database of it at one and the same commit."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rihla_local.packages import postgres_bin
from rihla_local.servers.account import USER, Account

BASE, WAL = "base.tar.gz", "pg_wal.tar.gz"


class BackupFailed(Exception):
    """The reason, for a person."""


def take(url: str, folder: Path) -> None:
    """Copy the running instance at `url` (its superuser) into `folder`. Nobody has to wait meanwhile.

    The copy holds everything committed before this returns: the log of what changed while copying comes with it.
    """
    parts = urlsplit(url)
    command = [
        str(_binary("pg_basebackup")),
        *("--host", parts.hostname or "127.0.0.1", "--port", str(parts.port), "--username", parts.username or USER),
        *("--pgdata", str(folder), "--format", "tar", "--gzip", "--compress", "1"),
        *("--wal-method", "stream", "--checkpoint", "fast", "--no-password"),
    ]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PGPASSWORD": unquote(parts.password or "")}
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BackupFailed(done.stderr.strip()[-1000:])


def put_back(folder: Path, account: Account) -> None:
    """Fill the instance's data directory from `folder`; what was in it is gone. The server must not run."""
    for name in (BASE, WAL):
        if not (folder / name).exists():
            raise BackupFailed(f"{folder} holds no {name}")
    subprocess.run(["find", str(account.data), "-mindepth", "1", "-delete"], check=True)
    for name, place in ((BASE, account.data), (WAL, account.data / "pg_wal")):
        with tarfile.open(folder / name) as archive:
            archive.extractall(place, filter="data")
    account.data.chmod(0o700)
    if f"--reuid={USER}" in account.prefix:
        subprocess.run(["chown", "-R", f"{USER}:{USER}", str(account.data)], check=True)


def major_version() -> str:
    """Of the binaries here; a copy fits the same one only."""
    done = subprocess.run([str(_binary("postgres")), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[2].partition(".")[0]


def _binary(name: str) -> Path:
    found = postgres_bin()
    if found is None:
        raise BackupFailed("PostgreSQL 15 or newer is not installed")
    return found / name
