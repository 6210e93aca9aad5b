"""All three servers together, as the stack and the tests start them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rihla_local import packages
from rihla_local.layout import Layout, Lock, tail
from rihla_local.ports import Ports
from rihla_local.servers.postgres import FORGETFUL, Postgres
from rihla_local.servers.rabbitmq import RabbitMQ
from rihla_local.servers.redis import Redis
from rihla_local.supervisor import Interrupted, Signals, StartFailed, Supervisor, Unit

READY_SECONDS = 300.0


@dataclass(frozen=True)
class Addresses:
    """Where the servers of one test run listen; `database_url` is the superuser's, database `postgres`."""

    database_url: str
    redis_url: str
    amqp_url: str


def test_servers(layout: Layout, folder: Path, keep: Sequence[int]) -> tuple[list[Unit], Addresses, Ports]:
    """Servers that forget, with everything below `folder`. The ports are theirs for as long as the last is kept."""
    token = secrets.token_hex(4)
    ports = Ports(folder / "ports.json", token)
    password = secrets.token_urlsafe(12)
    postgres = Postgres(
        folder / "postgres",
        _outside(layout, folder),
        ports.take("postgres"),
        password,
        folder / "postgres.log",
        FORGETFUL,
    )
    redis = Redis(folder / "redis", ports.take("redis"), password, folder / "redis.log", durable=False)
    broker = RabbitMQ(
        folder / "rabbitmq",
        ports.take("rabbitmq"),
        ports.take("rabbitmq-distribution"),
        ports.take("epmd"),
        "rihla",
        password,
        f"rihla-{token}@localhost",
        folder / "rabbitmq.log",
    )
    units = [*broker.units(keep), redis.unit(keep), postgres.unit(keep)]
    return units, Addresses(postgres.url, redis.url, broker.url), ports


def serve_until_stdin_closes(layout: Layout) -> int:
    """`python -m rihla_local servers`: one JSON line when all are ready; everything ends with our stdin or parent."""
    parent = os.getppid()
    try:
        missing = packages.missing_servers()
        if missing:
            packages.install(missing, "for the tests")
    except packages.CannotInstall as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    folder, alive = _fresh_folder(layout)
    with Signals() as signals:
        supervisor = Supervisor(signals)
        try:
            units, addresses, _kept = test_servers(layout, folder, [alive.descriptor or 0])
            supervisor.start(*units)
            supervisor.wait_ready(units, READY_SECONDS)
            sys.stdout.write(json.dumps(asdict(addresses)) + "\n")
            sys.stdout.flush()
            while supervisor.watch([0], give_up=lambda: os.getppid() != parent) and os.read(0, 4096):
                pass
        except Interrupted:
            pass
        except StartFailed as failure:
            sys.stderr.write(f"{failure}\n{tail(failure.unit.log)}")
            return 1
        finally:
            supervisor.stop()
            _remove(layout, folder)
    return 0


@contextlib.contextmanager
def private_servers(layout: Layout | None = None) -> Iterator[Addresses]:
    """Servers of one's own for as long as the block lasts; for benches and scripts. Safe from any thread.

    They live in a process of their own, which ends with this one whatever happens to it. Raises RuntimeError when
    they cannot be started; the reason is on standard error.
    """
    root = (layout or Layout()).root
    argv = [sys.executable, "-m", "rihla_local", "servers"]
    with subprocess.Popen(argv, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the private servers did not start")
        try:
            yield Addresses(**json.loads(line))
        finally:
            process.stdin.close()
            process.wait(30)


def _fresh_folder(layout: Layout) -> tuple[Path, Lock]:
    """A folder of our own under `.run/test`, and its lock; what a killed run left behind is swept away."""
    layout.make()
    parent = layout.run / "test"
    parent.mkdir(exist_ok=True)
    sweeping = Lock(layout.run / "test.lock")
    sweeping.take(wait_seconds=30.0)
    try:
        for leftover in parent.iterdir():
            if not Lock(leftover / "alive.lock").is_held():
                _remove(layout, leftover)
        folder = parent / secrets.token_hex(4)
        folder.mkdir()
        alive = Lock(folder / "alive.lock")
        alive.take()
    finally:
        sweeping.release()
    return folder, alive


def _remove(layout: Layout, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(_outside(layout, folder), ignore_errors=True)


def _outside(layout: Layout, folder: Path) -> Path:
    return layout.outside.with_name(f"{layout.outside.name}-test-{folder.name}")
