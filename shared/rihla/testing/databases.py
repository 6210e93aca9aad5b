"""A fresh, migrated database for a test: migrations run once into a template, each test clones it."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from rihla.db.migrations import upgrade
from rihla.kernel import new_id
from rihla.testing.stock import cloned, with_database

__all__ = ["fresh_database", "with_database"]

_LOCK = 7_421_002
_templates: dict[tuple[str, Path], str] = {}


def _fingerprint(service_root: Path, folder: str) -> str:
    digest = hashlib.sha256()
    for script in sorted((service_root / folder).rglob("*.py")):
        digest.update(script.name.encode() + script.read_bytes())
    return digest.hexdigest()[:12]


async def _template(admin: asyncpg.Connection, admin_url: str, service_root: Path) -> str:
    slug = re.sub(r"[^a-z0-9]", "_", service_root.name.lower())
    name = f"tpl_{slug}_{_fingerprint(service_root, 'migrations')}"
    await admin.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            making = f"{name}_{new_id().hex[-8:]}"
            await admin.execute(f'CREATE DATABASE "{making}"')
            await asyncio.to_thread(upgrade, service_root, with_database(admin_url, making))
            await admin.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    finally:
        await admin.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    return name


@asynccontextmanager
async def fresh_database(admin_url: str, service_root: Path) -> AsyncIterator[str]:
    """The URL of a new database with the service's newest schema; dropped afterwards."""
    if (admin_url, service_root) not in _templates:
        admin = await asyncpg.connect(admin_url)
        try:
            _templates[admin_url, service_root] = await _template(admin, admin_url, service_root)
        finally:
            await admin.close()
    async with cloned(admin_url, _templates[admin_url, service_root]) as url:
        yield url
