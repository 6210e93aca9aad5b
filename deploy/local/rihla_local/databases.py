"""One database and one role a service in the private PostgreSQL; nobody gets into another's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg


def create(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Create what is missing and set the passwords again; may be repeated. Meant for a forked child."""
    asyncio.run(_create(superuser_url, passwords))


async def _create(superuser_url: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(superuser_url)
    try:
        roles = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        present = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        await connection.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        for name, password in passwords.items():
            verb = "ALTER" if name in roles else "CREATE"
            await connection.execute(f"{verb} ROLE {_name(name)} LOGIN PASSWORD {_text(password)}")
            if name not in present:
                await connection.execute(f"CREATE DATABASE {_name(name)} OWNER {_name(name)}")
                await connection.execute(f"REVOKE ALL ON DATABASE {_name(name)} FROM PUBLIC")
    finally:
        await connection.close()


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
