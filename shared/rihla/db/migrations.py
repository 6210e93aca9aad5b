"""Run a service's migrations, from the command line, at start-up of the local stack, and in tests."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from rihla.db.database import sqlalchemy_url

__all__ = ["run_env", "upgrade"]

_LOCK = 7_421_001  # one migration at a time in a database, whichever replica starts first


def _config(service_root: Path, database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(service_root / "migrations"))
    config.set_main_option("sqlalchemy.url", sqlalchemy_url(database_url).replace("%", "%%"))
    return config


def upgrade(service_root: Path, database_url: str, revision: str = "head") -> None:
    """Bring the database at `database_url` to `revision` with the scripts in `service_root/migrations`."""
    command.upgrade(_config(service_root, database_url), revision)


def run_env(metadata: MetaData) -> None:
    """What a service's `migrations/env.py` calls."""
    url = context.config.get_main_option("sqlalchemy.url") or ""
    asyncio.run(_migrate(url, metadata))


async def _migrate(url: str, metadata: MetaData) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run, metadata)
            await connection.commit()
    finally:
        await engine.dispose()


def _run(connection: Connection, metadata: MetaData) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        # A role may carry a limit meant for requests; building an index takes as long as it takes.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        context.run_migrations()
