"""Behind every guard in code stands a constraint: each one refuses what it is there for, whoever asks."""

import asyncpg
import pytest

from flight_service.inventory.open_cabins import CabinRow, insert_cabin_rows, reopen_cabins
from flight_service.inventory.problems import FlightHasHolds
from rihla.db import Database
from rihla.kernel import new_id


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("free_seats = -1, held_seats = 11", "free_within_capacity"),
        ("free_seats = 11, held_seats = -1", "free_within_capacity"),
        ("held_seats = -1, sold_seats = 1", "none_negative"),
        ("sold_seats = -1, held_seats = 1", "none_negative"),
        ("free_seats = 9", "seats_conserved"),
        ("sold_seats = 1", "seats_conserved"),
    ],
)
async def test_counters_that_do_not_add_up_are_refused(pool, inventory, change, constraint):
    flight = await inventory.flight(10)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await pool.execute(f"UPDATE cabin_inventory SET {change} WHERE flight_id = $1", flight)
    assert refused.value.constraint_name == f"ck_cabin_inventory_{constraint}"


async def _seat(pool, hold, flight, designator, state):
    await pool.execute(
        "INSERT INTO hold_seat (hold_id, passenger_id, flight_id, cabin, designator, state, under_12, with_infant) "
        "VALUES ($1, $2, $3, 'economy', $4, $5, false, false)",
        hold,
        new_id(),
        flight,
        designator,
        state,
    )


async def test_a_seat_has_one_live_owner(pool, inventory, writers, make_hold):
    flight = await inventory.flight(10)
    hold = make_hold(flight, designators=["12A"])
    await writers[0].group([hold])
    for state in ("returned", "released"):
        await _seat(pool, hold.id, flight, "12A", state)
    for state in ("held", "sold"):
        with pytest.raises(asyncpg.UniqueViolationError):
            await _seat(pool, hold.id, flight, "12A", state)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await _seat(pool, new_id(), flight, "14A", "held")


async def test_only_a_tombstone_is_without_content(pool):
    await pool.execute("INSERT INTO hold (id, status, created_at) VALUES ($1, 'released', now())", new_id())
    for status in ("held", "confirmed", "expired", "lost"):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute("INSERT INTO hold (id, status, created_at) VALUES ($1, $2, now())", new_id(), status)


async def test_seats_that_differ_from_the_counters_show_up_as_drift(pool, inventory, writers, make_hold):
    flight = await inventory.flight(10)
    hold = make_hold(flight, seats=2)
    await writers[0].group([hold])
    assert await inventory.drift() == []
    await pool.execute("UPDATE hold_seat SET state = 'released' WHERE hold_id = $1", hold.id)
    (row,) = await inventory.drift()
    assert (str(row["flight_id"]), row["held_seats"], row["held_rows"]) == (flight, 2, 0)


async def test_cabins_open_once_and_are_replaced_only_while_unsold(pool, inventory, writers, make_hold, database_for):
    db = Database(await database_for("flight-service"))
    flight = new_id()
    rows = [CabinRow(flight, "economy", 150), CabinRow(flight, "business", 12, free_seats=10)]
    try:
        for _ in range(2):
            async with db.transaction() as session:
                await insert_cabin_rows(session, rows)
        other = await db.asyncpg_pool()
        read = "SELECT cabin, capacity, free_seats, sold_seats FROM cabin_inventory ORDER BY cabin"
        assert [tuple(row) for row in await other.fetch(read)] == [("business", 12, 10, 2), ("economy", 150, 150, 0)]
        with pytest.raises(FlightHasHolds):
            async with db.transaction() as session:
                await reopen_cabins(session, flight, [CabinRow(flight, "economy", 100)])
        await other.execute("UPDATE cabin_inventory SET free_seats = capacity, sold_seats = 0")
        async with db.transaction() as session:
            await reopen_cabins(session, flight, [CabinRow(flight, "economy", 100)])
        assert [tuple(row) for row in await other.fetch(read)] == [("economy", 100, 100, 0)]
    finally:
        await db.close()
