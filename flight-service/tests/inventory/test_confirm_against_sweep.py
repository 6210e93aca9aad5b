"""A hold whose time is over is either sold or swept, whichever of the two writes first. With the controls."""

import asyncio

import pytest

from flight_service.inventory import store
from flight_service.inventory.confirm_hold import ConfirmHolds
from flight_service.inventory.expire_holds import expire_holds
from flight_service.inventory.problems import HoldExpired
from rihla.testing import eventually

CONFIRM_GUARD = (" ORDER BY id FOR UPDATE", "")
SWEEP_GUARD = (" FOR UPDATE SKIP LOCKED", "")


async def without(pool, function, guard):
    """Put the function back without one of its guards."""
    source = await pool.fetchval("SELECT pg_get_functiondef($1::regproc)", function)
    assert guard[0] in source
    await pool.execute(source.replace(*guard))


async def someone_waits(pool):
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return await pool.fetchval(sql) >= 1


async def overdue(inventory, writers, make_hold, clock):
    """A flight, a hold on it whose time is over, and a neighbour's that still runs."""
    flight = await inventory.flight(9)
    hold, neighbour = make_hold(flight, designators=["12A"], minutes=1), make_hold(flight, designators=["12B"])
    await writers[0].group([hold, neighbour])
    clock.advance(hold.expires_at - clock.now())
    return flight, hold


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
async def test_a_hold_that_is_swept_while_it_is_confirmed_is_not_sold(
    pool, inventory, writers, make_hold, clock, fleet, guarded
):
    """Control: without the lock in `confirm_holds` the seats given back are sold, and the counters are wrong."""
    if not guarded:
        await without(pool, "confirm_holds", CONFIRM_GUARD)
    flight, hold = await overdue(inventory, writers, make_hold, clock)
    deed = ConfirmHolds(pool, fleet)
    async with pool.acquire() as sweeper:
        transaction = sweeper.transaction()
        await transaction.start()
        assert await store.expire(sweeper, clock.now(), 100) == 1
        confirming = asyncio.create_task(deed.group([hold.id]))
        await eventually(lambda: someone_waits(pool), timeout=60, what="the confirmation waits for the sweeper")
        await transaction.commit()
    (answer,) = await confirming
    await deed.close()
    assert isinstance(answer, HoldExpired) == guarded
    assert (await inventory.drift() == []) == guarded
    assert (await inventory.counters(flight) == (8, 1, 0)) == guarded


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
async def test_a_hold_that_is_confirmed_while_the_sweeper_works_is_not_expired(
    pool, inventory, writers, make_hold, clock, guarded
):
    """Control: without the sweeper's locks the sold hold ends as expired."""
    if not guarded:
        for function in ("expire_holds", "expire_hold_rows"):
            await without(pool, function, SWEEP_GUARD)
    flight, hold = await overdue(inventory, writers, make_hold, clock)
    async with pool.acquire() as confirming:
        transaction = confirming.transaction()
        await transaction.start()
        await store.confirm(confirming, {hold.id: ()}, [])
        sweeping = asyncio.create_task(expire_holds(pool, clock))
        if guarded:
            assert await sweeping == 0, "it passes by what is being confirmed"
        else:
            await eventually(lambda: someone_waits(pool), timeout=60, what="the sweeper waits for the confirmation")
        await transaction.commit()
    assert await sweeping == (0 if guarded else 1)
    status = await pool.fetchval("SELECT status FROM hold WHERE id = $1", hold.id)
    assert status == ("confirmed" if guarded else "expired")
    assert await inventory.counters(flight) == (7, 1, 1)
