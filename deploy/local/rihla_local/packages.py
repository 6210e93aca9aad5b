"""Finding PostgreSQL, Redis and RabbitMQ on this machine, and installing them with apt where that is possible.

Standard library only: it runs before the virtual environment exists.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

MINIMUM_POSTGRES = 15
APT_LISTS = Path("/var/lib/apt/lists")
APT_LISTS_MAX_AGE_SECONDS = 24 * 3600
POLICY = Path("/usr/sbin/policy-rc.d")
UNITS = {
    "postgresql": ["postgresql"],
    "redis-server": ["redis-server"],
    "rabbitmq-server": ["rabbitmq-server", "epmd.service", "epmd.socket"],
    "nginx-light": ["nginx"],
}


class CannotInstall(Exception):
    """Something is missing and this account may not install it; the text is meant for the person."""


def postgres_bin() -> Path | None:
    """Folder with the newest usable `postgres` and `initdb`, or None."""
    found: dict[int, Path] = {}
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        if folder.parent.name.isdigit() and (folder / "postgres").exists() and (folder / "initdb").exists():
            found[int(folder.parent.name)] = folder
    on_path = shutil.which("postgres")
    if on_path:
        folder = Path(on_path).resolve().parent
        answer = subprocess.run([str(folder / "postgres"), "--version"], stdout=subprocess.PIPE, check=False)
        version = re.search(rb" (\d+)", answer.stdout)
        if version and (folder / "initdb").exists():
            found.setdefault(int(version.group(1)), folder)
    usable = [version for version in found if version >= MINIMUM_POSTGRES]
    return found[max(usable)] if usable else None


def redis_binary() -> Path | None:
    """`redis-server` (or its twin `valkey-server`), or None."""
    for name in ("redis-server", "valkey-server"):
        found = _which(name)
        if found:
            return Path(found)
    return None


def rabbitmq_script() -> Path | None:
    """The package's inner start script, or None.

    The one in `sbin` is a wrapper that changes user and directory; the inner one does not.
    """
    places = [Path("/usr/lib/rabbitmq/bin/rabbitmq-server")]
    places += sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    places += sorted(Path("/opt").glob("rabbitmq*/sbin/rabbitmq-server"))
    for place in places:
        if place.exists() and _which("erl"):
            return place
    return None


def epmd_binary() -> Path | None:
    """Erlang's port mapper, which a broker needs even when it is alone."""
    found = _which("epmd")
    if found:
        return Path(found)
    inside = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    return inside[-1] if inside else None


def missing_servers() -> list[str]:
    """Debian package names of the servers that are not here."""
    missing = []
    if _wanted("DATABASE_URL_AUTH", "TEST_DATABASE_URL") and postgres_bin() is None:
        missing.append("postgresql")
    if _wanted("REDIS_URL", "TEST_REDIS_URL") and redis_binary() is None:
        missing.append("redis-server")
    if _wanted("AMQP_URL", "TEST_AMQP_URL") and (rabbitmq_script() is None or epmd_binary() is None):
        missing.append("rabbitmq-server")
    return missing


def install(packages: list[str], why: str) -> None:
    """Install Debian packages without letting their daemons start. Raises CannotInstall."""
    if not shutil.which("apt-get"):
        raise CannotInstall(_advice(packages, why, "this system has no apt-get"))
    prefix = _privilege()
    if prefix is None:
        raise CannotInstall(_advice(packages, why, "this account is neither root nor allowed to use sudo"))
    sys.stderr.write(f"  installing {', '.join(packages)} with apt ({why})\n")
    sys.stderr.flush()
    if _lists_are_old():
        _apt(prefix, ["update"])
    with _DaemonsStayDown(prefix):
        if _apt(prefix, ["install", "-y", "--no-install-recommends", *packages]) != 0:
            _apt(prefix, ["update"])
            if _apt(prefix, ["install", "-y", "--no-install-recommends", *packages]) != 0:
                raise CannotInstall(_advice(packages, why, "apt-get could not install them (see above)"))
    _keep_off_the_boot(prefix, packages)


def _which(name: str) -> str | None:
    """Like shutil.which, also in the sbin folders an ordinary user's PATH leaves out."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")


def _wanted(*variables: str) -> bool:
    return not any(os.environ.get(variable) for variable in variables)


def _privilege() -> list[str] | None:
    """Command prefix that makes the next command root's; [] for root itself, None when there is no way."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    if subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return ["sudo", "-n"]
    return ["sudo"] if sys.stdin.isatty() and not os.environ.get("CI") else None


def _lists_are_old() -> bool:
    lists = list(APT_LISTS.glob("*Packages*"))
    if not lists:
        return True
    return time.time() - max(one.stat().st_mtime for one in lists) > APT_LISTS_MAX_AGE_SECONDS and (
        time.time() - APT_LISTS.stat().st_mtime > APT_LISTS_MAX_AGE_SECONDS
    )


def _apt(prefix: list[str], arguments: list[str]) -> int:
    """Run apt-get quietly; its output is shown only when it fails."""
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"]
    done = subprocess.run(
        command + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace")[-3000:])
    return done.returncode


class _DaemonsStayDown:
    """While inside, Debian's packages may not start the daemons they bring (policy-rc.d answers 101).

    A policy that is already there is left alone.
    """

    def __init__(self, prefix: list[str]) -> None:
        self._prefix = prefix
        self._ours = False

    def __enter__(self) -> None:
        if not POLICY.exists():
            self._ours = self._shell(f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}") == 0

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._shell(f"rm -f {POLICY}")

    def _shell(self, script: str) -> int:
        return subprocess.run([*self._prefix, "sh", "-c", script], check=False).returncode


def _keep_off_the_boot(prefix: list[str], packages: list[str]) -> None:
    """What was installed only for private instances must not come up as public daemons after a restart."""
    if not Path("/run/systemd/system").exists():
        return
    units = [unit for package in packages for unit in UNITS.get(package, [])]
    if units:
        subprocess.run(
            [*prefix, "systemctl", "disable", *units],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )


def _advice(packages: list[str], why: str, reason: str) -> str:
    names = " ".join(packages)
    return (
        f"Rihla needs {names} ({why}), and {reason}.\n"
        f"Either ask an administrator for:   apt-get install --no-install-recommends {names}\n"
        "or run it in containers instead:   docker compose up\n"
        "or point it at your own servers:   DATABASE_URL_AUTH=... REDIS_URL=... AMQP_URL=...   (see .env.example)"
    )
