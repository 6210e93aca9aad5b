"""The migrated database is the one the code describes, and the seed fills it once."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from payment_service.bootstrap import Container
from payment_service.seed import seed
from payment_service.tables_all import metadata

Stack = Any


async def test_the_migrated_schema_is_what_the_tables_say(container: Container) -> None:
    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with container.db.engine.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_constraints_and_their_names_are_what_the_tables_say(container: Container) -> None:
    """Alembic compares no CHECKs; the guards of the ledger are CHECKs."""
    pool = await container.db.asyncpg_pool()
    found = await pool.fetch("SELECT conname FROM pg_constraint WHERE contype IN ('c', 'f', 'u', 'p') AND conrelid > 0")
    declared = {str(one.name) for table in metadata.tables.values() for one in table.constraints if one.name}
    migrated = {row["conname"] for row in found if row["conname"] != "alembic_version_pkc"}
    assert {name for name in migrated if not name.startswith("pg_")} == declared


async def test_the_seed_may_be_repeated_and_changes_nothing_that_is_there(stack: Stack) -> None:
    assert await seed(stack.container.db, stack.clock) == 4
    await stack.sql("UPDATE promo_code SET percent_basis_points = 500 WHERE code = 'WELCOME10'")
    assert await seed(stack.container.db, stack.clock) == 0
    offers = (await stack.client.get("/v1/special-offers", headers=anybody(stack))).json()["items"]
    assert {offer["code"]: offer["percent"] for offer in offers} == {"WELCOME10": "5", "COAST20": None}
    plans = (await stack.client.get("/v1/subscription-plans", headers=anybody(stack))).json()["items"]
    assert [plan["code"] for plan in plans] == ["EVERYWHERE-15", "COAST-8"]


def anybody(stack: Stack) -> dict[str, str]:
    return {"authorization": f"Bearer {stack.keyring.token(audience='payment')}"}
