"""`make backup` and `make restore`: everything a stack may not lose, in one folder, and from it into this checkout.

Databases are copied at one commit for all of them. Before that the gateway closes for maintenance and what is under way
between services arrives, because events inside RabbitMQ belong to no database; so RabbitMQ and Redis need no copy.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rihla_local.layout import Busy, Layout, Lock, read_json, write_json
from rihla_local.servers import base_backup
from rihla_local.servers.account import choose_account
from rihla_local.servers.base_backup import BackupFailed
from rihla_local.underway import under_way

NAMESPACE = "rihla"
PATIENCE_SECONDS = 60.0
DONE = "backup.json"
"""Written last: a folder without it is half a backup."""


def backup(layout: Layout) -> int:
    """`make backup`: from the running stack into `.run/backups/<time>`, or the folder BACKUP names."""
    stack = read_json(layout.stack_file)
    if stack is None:
        sys.stderr.write("not running: make up, then make backup\n")
        return 1
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = Path(os.environ.get("BACKUP") or layout.run / "backups" / name).resolve()
    sys.stdout.write("the gateway answers 503 until the copy is made; first what is under way arrives ...\n")
    sys.stdout.flush()
    try:
        asyncio.run(take(stack, layout, folder))
    except BackupFailed as problem:
        sys.stderr.write(f"no backup was made: {problem}\n")
        if not (folder / DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)
        return 1
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    sys.stdout.write(f"{folder}\n  {size / 1e6:.1f} MB; holds this stack's secrets: keep it as you keep those\n")
    return 0


async def take(stack: dict[str, Any], layout: Layout, folder: Path) -> None:
    """Copy databases, documents and secrets of the stack. Raises BackupFailed."""
    url = stack["database_admin_url"]
    if url is None:
        raise BackupFailed("the databases are your own (DATABASE_URL_...): back them up with their own tools")
    await asyncio.to_thread(_make_folder, folder)
    async with closed(stack["redis_url"]):
        await _wait_until_quiet(stack)
        await asyncio.to_thread(base_backup.take, url, folder)
        # After the databases: a file is there before the row that names it, and is never changed.
        await asyncio.to_thread(_copy_files, layout, folder)
    write_json(
        folder / DONE, {"taken_at": datetime.now(UTC).isoformat(), "postgres": base_backup.major_version()}, mode=0o600
    )


def _make_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BackupFailed(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _copy_files(layout: Layout, folder: Path) -> None:
    if (layout.run / "files").exists():
        shutil.copytree(layout.run / "files", folder / "files")
    shutil.copy2(layout.run / "secrets.json", folder / "secrets.json")
    (folder / "secrets.json").chmod(0o600)


def restore(layout: Layout) -> int:
    """`make restore BACKUP=<folder>`: into this checkout, whose stack must not run. What it held before is gone."""
    if not os.environ.get("BACKUP"):
        sys.stderr.write(f"which one? make restore BACKUP=<folder>\n{_offered(layout)}")
        return 1
    folder = Path(os.environ["BACKUP"]).resolve()
    lock = Lock(layout.run / "launcher.lock")
    try:
        lock.take()
    except Busy:
        sys.stderr.write("This checkout's stack is running: make down first.\n")
        return 1
    try:
        put_back(layout, folder)
    except BackupFailed as problem:
        sys.stderr.write(f"nothing was restored: {problem}\n")
        return 1
    finally:
        lock.release()
    sys.stdout.write(f"restored from {folder}; make up starts it\n")
    return 0


def _offered(layout: Layout) -> str:
    """The whole backups in `.run/backups`, the newest first, a line each."""
    whole = sorted((path.parent for path in (layout.run / "backups").glob(f"*/{DONE}")), reverse=True)
    return "".join(f"  {folder}\n" for folder in whole) or f"  none is in {layout.run / 'backups'}\n"


def put_back(layout: Layout, folder: Path) -> None:
    """Replace databases, documents and secrets; RabbitMQ and Redis begin afresh. Raises BackupFailed."""
    about = read_json(folder / DONE)
    if about is None:
        raise BackupFailed(f"{folder} holds no whole backup: make restore BACKUP=<folder that make backup printed>")
    if about["postgres"] != base_backup.major_version():
        raise BackupFailed(f"it was made by PostgreSQL {about['postgres']}, here is {base_backup.major_version()}")
    layout.make()
    base_backup.put_back(folder, choose_account(layout.run / "postgres", layout.outside))
    for name in ("redis", "rabbitmq", "files"):
        shutil.rmtree(layout.run / name, ignore_errors=True)
    if (folder / "files").exists():
        shutil.copytree(folder / "files", layout.run / "files")
    shutil.copy2(folder / "secrets.json", layout.run / "secrets.json")


@asynccontextmanager
async def closed(redis_url: str) -> AsyncIterator[None]:
    """The gateway answers 503 with a sentence while the block lasts; by itself again after five minutes."""
    from redis.asyncio import Redis

    redis = Redis.from_url(redis_url)
    try:
        await redis.set(f"{NAMESPACE}:maintenance", "A backup is being made; please try again in a moment.", ex=300)
        yield
    finally:
        await redis.delete(f"{NAMESPACE}:maintenance")
        await redis.aclose()


async def _wait_until_quiet(stack: dict[str, Any]) -> None:
    """Return when no event is between two databases. Raises BackupFailed after a minute, saying where one is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    await asyncio.sleep(1.5)  # gateways look once a second whether they are closed
    while waiting := await under_way(stack["databases"], stack["amqp_url"], NAMESPACE):
        if time.monotonic() > deadline:
            raise BackupFailed(f"events are still under way: {', '.join(waiting)}")
        await asyncio.sleep(0.2)
