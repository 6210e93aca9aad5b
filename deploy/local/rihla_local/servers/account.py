"""How PostgreSQL, which refuses to run as root, runs when the launcher is root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

USER = "postgres"


class NoAccount(Exception):
    """root, and no way to leave root behind."""


@dataclass(frozen=True)
class Account:
    """Where the data lives and what to put in front of a PostgreSQL command."""

    data: Path
    prefix: tuple[str, ...]


def choose_account(data: Path, fallback: Path) -> Account:
    """The first way that works here; `fallback` is a data folder anyone may enter. Creates the folder.

    An ordinary user needs nothing. root becomes `postgres`; where that user cannot reach the folder (a parent only
    root may enter), a user namespace makes root look like somebody else; where that is forbidden, the data moves.
    """
    data.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        data.chmod(0o700)
        return Account(data, ())
    for folder, prefix in _ways(data, fallback):
        if prefix is not None and _can_write(folder, prefix):
            return Account(folder, prefix)
    raise NoAccount("PostgreSQL refuses to run as root, and neither setpriv nor unshare can change that here")


def _ways(data: Path, fallback: Path) -> list[tuple[Path, tuple[str, ...] | None]]:
    return [(data, _as_postgres()), (data, _as_somebody()), (fallback, _as_postgres())]


def _as_postgres() -> tuple[str, ...] | None:
    setpriv = shutil.which("setpriv")
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return None
    if setpriv is None:
        return None
    change = (f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs")
    return (setpriv, *change, "--pdeathsig", "INT", "--")


def _as_somebody() -> tuple[str, ...] | None:
    setpriv, unshare = shutil.which("setpriv"), shutil.which("unshare")
    if setpriv is None or unshare is None:
        return None
    return (unshare, "--user", "--map-user=1000", "--map-group=1000", setpriv, "--pdeathsig", "INT", "--")


def _can_write(folder: Path, prefix: tuple[str, ...]) -> bool:
    """Give the folder to whom the prefix becomes, and see whether they get in."""
    folder.mkdir(parents=True, exist_ok=True)
    owner = USER if f"--reuid={USER}" in prefix else "root"
    if pwd.getpwuid(folder.stat().st_uid).pw_name != owner:
        subprocess.run(["chown", "-R", f"{owner}:{owner}", str(folder)], check=True)
    folder.chmod(0o700)
    probe = [*prefix, "test", "-w", str(folder)]
    return subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode == 0
