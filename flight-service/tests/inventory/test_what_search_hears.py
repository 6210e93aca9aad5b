"""The timetable of the search is told of a flight whose free seats changed, and of nothing else."""

import pytest

from flight_service.inventory import store
from flight_service.inventory.confirm_hold import ConfirmHolds
from rihla.kernel import new_id


async def told(pool):
    """Forget and give back whatever the timetable was told."""
    return [str(row[0]) for row in await pool.fetch("DELETE FROM timetable_change RETURNING flight_id")]


async def test_a_sale_of_held_seats_tells_the_timetable_nothing(pool, inventory, writers, make_hold, clock, fleet):
    flights = [await inventory.flight(9) for _ in range(2)]
    hold = make_hold(*flights, seats=2)
    await told(pool)
    await writers[0].group([hold])
    assert sorted(await told(pool)) == sorted(flights), "seats were taken"
    deed = ConfirmHolds(pool, fleet)
    (sold,) = await deed.group([hold.id])
    await deed.close()
    assert sold.status == "confirmed"
    assert await inventory.counters(flights[0]) == (7, 0, 2)
    assert await told(pool) == [], "what is sold was held before"
    async with pool.acquire() as connection:
        await store.release(connection, hold.id, [(row.passenger_id, row.flight_id) for row in hold.rows], clock.now())
    assert sorted(await told(pool)) == sorted(flights), "seats are free again"


async def test_a_larger_cabin_and_a_closed_one_are_told(pool, inventory):
    flight = await inventory.flight(9)
    await told(pool)
    await pool.execute(
        "UPDATE cabin_inventory SET capacity = 12, free_seats = 12 WHERE flight_id = $1 AND cabin = 'economy'", flight
    )
    assert await told(pool) == [flight]
    await pool.execute("DELETE FROM cabin_inventory WHERE flight_id = $1", flight)
    assert await told(pool) == [flight]


async def test_a_hold_with_a_seat_for_a_stranger_is_not_sold(pool, inventory, writers, make_hold):
    flight = await inventory.flight(9)
    hold = make_hold(flight)
    await writers[0].group([hold])
    async with pool.acquire() as connection:
        with pytest.raises(store.Moved, match="no owner"):
            await store.confirm(connection, {hold.id: ()}, [store.SeatGiven(hold.id, new_id(), flight, "12A")])
    assert await inventory.counters(flight) == (8, 1, 0)
