"""Back up, lose everything, restore: on PostgreSQL servers of this test's own, with PostgreSQL's own tools."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from rihla_local import spawning
from rihla_local.backup import DONE, put_back, restore
from rihla_local.layout import Layout, write_json
from rihla_local.ports import Ports
from rihla_local.servers import base_backup
from rihla_local.servers.account import choose_account
from rihla_local.servers.base_backup import BackupFailed
from rihla_local.servers.postgres import DURABLE, Postgres, answers


def server(folder: Path, **settings: str) -> Postgres:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    port = Ports(folder / "ports.json", secrets.token_hex(4)).take("postgres")
    # Nothing here survives a power cut, and nothing needs to; a killed server loses nothing by it.
    parameters = {**DURABLE, "fsync": "off", **settings}
    return Postgres(folder / "postgres", folder / "elsewhere", port, "secret", folder / "postgres.log", parameters)


@contextmanager
def serving(one: Postgres, *, end: signal.Signals = signal.SIGINT) -> Iterator[int]:
    """The server's process while the block lasts; then `end`."""
    pid = one.unit().start()
    try:
        deadline = time.monotonic() + 240
        while not answers(one.port):
            assert time.monotonic() < deadline, one.log.read_text()[-2000:]
            time.sleep(0.05)
        yield pid
    finally:
        os.kill(pid, end)
        os.waitpid(pid, 0)


def ended_child(pid: int) -> tuple[int, int]:
    """(pid, status) of a child that has ended, (0, 0) while it runs."""
    return os.waitpid(pid, os.WNOHANG)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can reach; pytest's own folders close themselves to others."""
    folder = Path(tempfile.mkdtemp(prefix="rihla-backup-", dir="/var/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def query(one: Postgres, statement: str, database: str = "postgres") -> list[asyncpg.Record]:
    connection = await asyncpg.connect(one.url.rsplit("/", 1)[0] + f"/{database}")
    try:
        rows: list[asyncpg.Record] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()


async def until_replayed(one: Postgres) -> None:
    """A server that replays the log answers readers before it has reached the end."""
    deadline = time.monotonic() + 240
    while (await query(one, "SELECT pg_is_in_recovery() AS yes"))[0]["yes"]:
        assert time.monotonic() < deadline, "the log was not replayed"
        await asyncio.sleep(0.05)


async def test_a_restored_stack_has_what_was_there_and_nothing_that_came_after(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place / "backup"
    first = server(place / "first")
    with serving(first):
        for name in ("booking", "payment"):
            await query(first, f"CREATE DATABASE {name}")
            await query(first, "CREATE TABLE fact (number int)", name)
            await query(first, "INSERT INTO fact SELECT generate_series(1, 1000)", name)
        folder.mkdir()
        base_backup.take(first.url, folder)
        await query(first, "INSERT INTO fact VALUES (1001)", "booking")
    (folder / "files" / "documents").mkdir(parents=True)
    (folder / "files" / "documents" / "ticket.pdf").write_bytes(b"%PDF")
    write_json(folder / "secrets.json", {"passwords": {"postgres": "secret"}})
    write_json(folder / DONE, {"postgres": base_backup.major_version()})
    second = server(place / "second")
    monkeypatch.setenv("RIHLA_RUN_DIR", str(place / "second"))
    layout = Layout()
    (layout.run / "rabbitmq").mkdir()
    (layout.run / "files").mkdir()
    (layout.run / "files" / "of-another-time.pdf").touch()
    put_back(layout, folder)
    with serving(second):
        for name in ("booking", "payment"):
            rows = await query(second, "SELECT count(*) AS n, max(number) AS most FROM fact", name)
            assert (rows[0]["n"], rows[0]["most"]) == (1000, 1000)
    assert [path.name for path in (layout.run / "files").rglob("*.pdf")] == ["ticket.pdf"]
    assert not (layout.run / "rabbitmq").exists()
    assert (layout.run / "secrets.json").exists()


async def test_every_database_is_copied_at_one_and_the_same_commit(place: Path) -> None:
    """Two databases are written in turn all the while: in the copy they are never more than one step apart."""
    folder, first = place / "backup", server(place / "first")
    with serving(first):
        for name in ("booking", "payment"):
            await query(first, f"CREATE DATABASE {name}")
            await query(first, "CREATE TABLE fact (number int)", name)
        url = first.url.rsplit("/", 1)[0]
        booking, payment = await asyncpg.connect(f"{url}/booking"), await asyncpg.connect(f"{url}/payment")
        for connection in (booking, payment):
            await connection.execute("INSERT INTO fact VALUES (0)")
        copy = spawning.fork(lambda: base_backup.take(first.url, folder), log=place / "copy.log")
        number, ended = 0, 0
        while not ended:
            number += 1
            for connection in (booking, payment):
                await connection.execute("INSERT INTO fact VALUES ($1)", number)
            ended, status = ended_child(copy)
        assert status == 0, (place / "copy.log").read_text()
        await booking.close()
        await payment.close()
    second = server(place / "second")
    base_backup.put_back(folder, choose_account(second.folder, second.fallback))
    with serving(second):
        counts = [
            (await query(second, "SELECT count(*) AS n FROM fact", name))[0]["n"] for name in ("booking", "payment")
        ]
    assert counts[0] - counts[1] in (0, 1)
    assert counts[0] > 0


async def test_a_base_backup_and_the_archived_log_bring_back_the_last_committed_booking(place: Path) -> None:
    """What CloudNativePG does in production, with the same parts: base backup, archived WAL, a dead machine, replay."""
    archive = place / "archive"
    archive.mkdir()
    archive.chmod(0o777)
    first = server(
        place / "first",
        archive_mode="on",
        archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f",
    )
    folder = place / "backup"
    with serving(first, end=signal.SIGKILL):
        await query(first, "CREATE TABLE booking (number int)")
        await query(first, "INSERT INTO booking VALUES (1)")
        base_backup.take(first.url, folder)
        for number in range(2, 500):
            await query(first, f"INSERT INTO booking VALUES ({number})") if number % 50 == 0 else None
        segment = (await query(first, "SELECT pg_walfile_name(pg_current_wal_lsn()) AS name"))[0]["name"]
        await query(first, "SELECT pg_switch_wal()")
        deadline = time.monotonic() + 240
        while not (archive / segment).exists():
            assert time.monotonic() < deadline, "the segment was not archived"
            await asyncio.sleep(0.05)
        expected = (await query(first, "SELECT count(*) AS n, max(number) AS last FROM booking"))[0]
    second = server(place / "second", restore_command=f"cp {archive}/%f %p")
    account = choose_account(second.folder, second.fallback)
    base_backup.put_back(folder, account)
    (account.data / "recovery.signal").touch()
    with serving(second):
        await until_replayed(second)
        found = (await query(second, "SELECT count(*) AS n, max(number) AS last FROM booking"))[0]
    assert (found["n"], found["last"]) == (expected["n"], expected["last"]) == (10, 450)


async def test_without_the_archived_log_the_same_restore_ends_at_the_base_backup(place: Path) -> None:
    """The control of the test above."""
    first, folder = server(place / "first"), place / "backup"
    with serving(first, end=signal.SIGKILL):
        await query(first, "CREATE TABLE booking (number int)")
        await query(first, "INSERT INTO booking VALUES (1)")
        base_backup.take(first.url, folder)
        await query(first, "INSERT INTO booking VALUES (2)")
    second = server(place / "second")
    base_backup.put_back(folder, choose_account(second.folder, second.fallback))
    with serving(second):
        assert (await query(second, "SELECT max(number) AS last FROM booking"))[0]["last"] == 1


def test_a_restore_that_names_no_backup_lists_the_whole_ones_newest_first_and_touches_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RIHLA_RUN_DIR", str(place))
    monkeypatch.setenv("BACKUP", "")
    layout = Layout()
    for name in ("20260101-100000", "20260102-100000", "20260103-100000"):
        (layout.run / "backups" / name).mkdir(parents=True)
    for name in ("20260101-100000", "20260102-100000"):
        write_json(layout.run / "backups" / name / DONE, {})
    assert restore(layout) == 1
    shown = [line.rsplit("/", 1)[-1] for line in capsys.readouterr().err.splitlines()[1:]]
    assert shown == ["20260102-100000", "20260101-100000"]
    assert [path.name for path in layout.run.iterdir()] == ["backups"]


def test_half_a_backup_is_refused_and_leaves_everything_as_it_was(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIHLA_RUN_DIR", str(place / "run"))
    layout = Layout()
    (layout.run / "files").mkdir(parents=True)
    (place / "half").mkdir()
    (place / "half" / base_backup.BASE).touch()
    with pytest.raises(BackupFailed):
        put_back(layout, place / "half")
    assert (layout.run / "files").exists()
