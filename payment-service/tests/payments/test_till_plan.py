"""The till looks things up by their keys, also by a plan the server made while it knew nothing of the tables."""

from typing import Any
from uuid import UUID

from payment_service.payments.group_facts import _READ

Stack = Any
WALLET = {"type": "wallet"}


async def test_what_paid_a_charge_is_found_by_its_key(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 100_000)
    await stack.pay(user_id, stack.booking.add_charge(user_id, 100), WALLET)
    connection = stack.container.desk._connection._kept
    # The server comes to keep one plan for all groups once they are large enough; here at once.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    [name] = await connection.fetch("SELECT name FROM pg_prepared_statements WHERE statement = $1", _READ)
    nothing = ", ".join(["'{}'"] * 9)
    rows = await connection.fetch(f'EXPLAIN EXECUTE "{name["name"]}"({nothing})')
    plan = "\n".join(row[0] for row in rows)
    assert "uq_payment_succeeded_period" not in plan, plan
    assert "Filter: (charge_id" not in plan, plan
    assert "AND (charge_id" not in plan, plan
