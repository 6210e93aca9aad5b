"""The migrations make exactly the tables the code expects, and can be undone."""

from collections.abc import Awaitable, Callable
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from auth_service.tables_all import metadata
from rihla.db.database import sqlalchemy_url


async def test_the_migrated_schema_is_the_schema_of_the_code(database_for: Callable[[str], Awaitable[str]]) -> None:
    engine = create_async_engine(sqlalchemy_url(await database_for("auth-service")))

    def differences(connection: Connection) -> list[Any]:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
