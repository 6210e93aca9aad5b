"""`python -m rihla_local.migrated <service>`: wait until the database has the schema this image was built for.

The init container of every process with a database. A database that is ahead of this image counts as ready: migrations
only add until no process needs the old shape (docs/runbooks/releases.md), so that an older image can be put back.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory

from rihla_local.layout import ROOT
from rihla_local.manifest import SERVICES

PATIENCE_SECONDS = 900.0


def revisions(service_root: Path) -> tuple[str, set[str]]:
    """The newest revision this checkout knows, and all of them."""
    config = Config()
    config.set_main_option("script_location", str(service_root / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    if head is None:
        raise ValueError(f"{service_root} has no migrations")
    return head, {script.revision for script in scripts.walk_revisions()}


async def is_migrated(database_url: str, service_root: Path) -> bool:
    """Whether the database is at this checkout's newest revision, or at one made after it. False while it is away."""
    head, known = revisions(service_root)
    try:
        connection = await asyncpg.connect(database_url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    try:
        found = {row["version_num"] for row in await connection.fetch("SELECT version_num FROM alembic_version")}
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return head in found or bool(found - known)


def main(service_name: str) -> int:
    """0 once the schema is there, 1 when it was waited for in vain."""
    service = next(one for one in SERVICES if one.name == service_name)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not asyncio.run(is_migrated(os.environ["DATABASE_URL"], ROOT / service.folder)):
        if time.monotonic() > deadline:
            print(f"{service_name}: the migration did not come", flush=True)
            return 1
        time.sleep(1.0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
