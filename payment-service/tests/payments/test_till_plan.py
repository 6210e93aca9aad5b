"""The till looks things up by their keys, also by a plan the server made while it knew nothing of the tables."""

from typing import Any
from uuid import UUID

from payment_service.payments.group_facts import _READ

Stack = Any
WALLET = {"type": "wallet"}
CARD = {
    "type": "card",
    "provider": "sandbox",
    "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "123"},
}


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


async def test_what_settles_reads_as_little_of_many_payments_as_of_few(stack: Stack, user_id: UUID) -> None:
    for _ in range(40):  # the first of them made the plans, on empty tables
        await stack.pay(user_id, stack.booking.add_charge(user_id, 100), CARD)
    before = await _read_by_the_till(stack)
    await stack.pay(user_id, stack.booking.add_charge(user_id, 100), CARD)
    read = {table: rows - before[table] for table, rows in (await _read_by_the_till(stack)).items()}
    assert max(read.values()) < 20, read  # by key 4 at most, else all 41


async def _read_by_the_till(stack: Stack) -> dict[str, int]:
    """Rows of payments and parts that were read so far, in whatever way."""
    connection = stack.container.desk._connection._kept
    await connection.execute("SELECT pg_stat_force_next_flush()")
    rows = await connection.fetch(
        "SELECT relname, coalesce(idx_tup_fetch, 0) + seq_tup_read AS read FROM pg_stat_user_tables "
        "WHERE relname IN ('payment', 'payment_part')"
    )
    return {row["relname"]: row["read"] for row in rows}
